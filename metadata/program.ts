import { markPrivate } from '../common/files/private-mark.js';
import { join } from 'node:path';
import { signAccessToken } from '../common/identity/access-tokens.js';
import type { ServerContext, RunningProgram } from '../common/program/context.js';
import { checkListenable } from '../common/program/check-listenable.js';
import { openDataDirectory } from '../common/program/data-directory.js';
import { startHttpEndpoint } from '../common/program/http-endpoint.js';
import { startProgram, type OnStop } from '../common/program/start-program.js';
import { CallGate } from '../common/rpc/call-gate.js';
import { createRpcServerMetrics } from '../common/rpc/rpc-metrics.js';
import type { Random } from '../common/random.js';
import { startRpcServer } from '../common/rpc/server.js';
import { mutualTls } from '../common/rpc/transport-credentials.js';
import { trackCertificate } from '../common/rpc/trust-metrics.js';
import { softwareVersion } from '../common/version.js';
import { registerBuildInfo } from './metrics.js';
import { createMetadataParts } from './parts.js';
import type { MetadataStore } from './store/contract.js';
import { openLmdbStore } from './store/lmdb-store.js';
import { createMemoryStore } from './store/memory-store.js';
import { meterStore } from './store/metered-store.js';
import { provideFirstAdministrator } from './trust/first-administrator.js';
import { CA_DIRECTORY, FleetCa } from './trust/fleet-ca.js';
import { readServerCertificate, type ServerCertificateFiles } from './trust/server-certificate.js';
import { keepServerIdentity, openServerIdentity } from './trust/server-identity.js';

/** How a metadata service runs. */
export interface MetadataConfig {
  /** Made where it is not there; of one process at a time. */
  readonly dataDir: string;
  /** `lmdb` keeps everything in `dataDir`; `memory` forgets it at the end, for tests. */
  readonly engine: 'lmdb' | 'memory';
  /** HOST:PORT of the gRPC server; port 0 takes a free one. */
  readonly listen: string;
  /** HOST:PORT of /metrics, /healthz and /readyz; none where undefined. */
  readonly http: string | undefined;
  /** An operator's own certificate for the server; undefined where it has one of the fleet's CA. */
  readonly serverCertificate: ServerCertificateFiles | undefined;
  /** Whether there is to be a token for an administrator also where one has a device. */
  readonly recoverAdmin: boolean;
}

/** A metadata service that is up. */
export interface RunningMetadata extends RunningProgram {
  /** Where a one-time token waits for the first administrator; undefined where none is needed. */
  readonly adminTokenFile: string | undefined;
}

/** The one format of the data directory that this release reads and writes (docs/storage-format.md). */
const FORMAT_VERSION = 2;

/**
 * Starts the metadata service. Raises FAILED_PRECONDITION where the data directory is in use, of another release or
 * something else (DATA_DIRECTORY_BUSY, DATA_FORMAT_NEWER, DATA_FORMAT_OLDER, DATA_FORMAT_UNKNOWN), a key or certificate in
 * it cannot be used (KEY_UNREADABLE, CERTIFICATE_EXPIRED) or an address cannot be had (PORT_IN_USE, ADDRESS_UNUSABLE);
 * then nothing stays open.
 */
export function startMetadata(config: MetadataConfig, context: ServerContext): Promise<RunningMetadata> {
  return startProgram((onStop) => openMetadata(config, context, onStop));
}

async function openMetadata(
  config: MetadataConfig,
  context: ServerContext,
  onStop: OnStop,
): Promise<Omit<RunningMetadata, 'stop'>> {
  const { clock, random, logger, registry } = context;
  const { dataDir } = config;
  const directory = await openDataDirectory({
    path: dataDir,
    program: 'metadata',
    formatVersion: FORMAT_VERSION,
    oldestFormatVersion: FORMAT_VERSION,
    prepared: [CA_DIRECTORY],
  });
  onStop(() => directory.release());
  await markPrivate(dataDir);
  // Before a CA is made that nobody will ask.
  await checkListenable('listen', config.listen);
  if (config.http !== undefined) await checkListenable('http', config.http);
  const store = meterStore(await openStore(config, random), registry, clock);
  onStop(() => store.close());
  const ca = await FleetCa.open({ dataDir, audit: store.audit, clock, random });
  const held = await openServerIdentity(dataDir, ca);
  const own = config.serverCertificate && (await readServerCertificate(config.serverCertificate, ca, clock));
  const parts = await createMetadataParts(
    { store, ca, pinned: own?.pinned ?? ca.fingerprint, signToken: signAccessToken },
    context,
  );
  const { access, tokens } = parts;
  const administrator = { dataDir, accounts: store.accounts, tokens, clock };
  const adminTokenFile = await provideFirstAdministrator(administrator, config.recoverAdmin);
  registerBuildInfo(registry, softwareVersion);
  trackCertificate(registry, own ?? held, clock);

  let ready = false;
  const http =
    config.http === undefined
      ? undefined
      : await startHttpEndpoint({ listen: config.http, registry, isReady: () => ready });
  if (http !== undefined) onStop(() => http.close());
  const { services } = parts;
  const paths = services.flatMap(({ methods }) => Object.values(methods).map(({ method }) => method.path));
  const server = await startRpcServer({
    listen: config.listen,
    credentials: mutualTls(held, { serverCertificate: own?.certificate }).server,
    gate: new CallGate({ clock, isRevoked: (caller) => access.isRevoked(caller) }),
    services,
    metrics: createRpcServerMetrics(registry, paths),
    logger,
  });
  onStop(() => server.drain());
  const watch = new AbortController();
  const watching = Promise.all([parts.keepWatch(watch.signal), keepServerIdentity(held, ca, clock, watch.signal)]);
  onStop(async () => {
    ready = false;
    watch.abort();
    await watching;
  });
  ready = true;
  logger.info({ address: server.address, http: http?.address, engine: config.engine }, 'metadata is serving');

  return { address: server.address, httpAddress: http?.address, adminTokenFile };
}

function openStore({ engine, dataDir }: MetadataConfig, random: Random): Promise<MetadataStore> {
  switch (engine) {
    case 'lmdb':
      return openLmdbStore(join(dataDir, 'store'), random);
    case 'memory':
      return Promise.resolve(createMemoryStore(random));
  }
}
