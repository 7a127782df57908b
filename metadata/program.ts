import { join } from 'node:path';
import type { ProgramContext, RunningProgram } from '../common/program/context.js';
import { openDataDirectory } from '../common/program/data-directory.js';
import { startHttpEndpoint } from '../common/program/http-endpoint.js';
import { startProgram, type OnStop } from '../common/program/start-program.js';
import { createRpcServerMetrics } from '../common/rpc/rpc-metrics.js';
import { startRpcServer } from '../common/rpc/server.js';
import { softwareVersion } from '../common/version.js';
import { registerBuildInfo } from './metrics.js';
import { createMetadataParts } from './parts.js';
import type { MetadataStore } from './store/contract.js';
import { openLmdbStore } from './store/lmdb-store.js';
import { createMemoryStore } from './store/memory-store.js';
import { meterStore } from './store/metered-store.js';

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
}

/** The newest format of the data directory that this release reads and writes (docs/storage-format.md). */
const FORMAT_VERSION = 1;

/**
 * Starts the metadata service. Raises FAILED_PRECONDITION where the data directory is in use, newer or something else
 * (DATA_DIRECTORY_BUSY, DATA_FORMAT_NEWER, DATA_FORMAT_UNKNOWN) or an address cannot be had (PORT_IN_USE,
 * ADDRESS_UNUSABLE); then nothing stays open.
 */
export function startMetadata(config: MetadataConfig, context: ProgramContext): Promise<RunningProgram> {
  return startProgram((onStop) => openMetadata(config, context, onStop));
}

async function openMetadata(
  config: MetadataConfig,
  context: ProgramContext,
  onStop: OnStop,
): Promise<Omit<RunningProgram, 'stop'>> {
  const { logger, registry, credentials } = context;
  const directory = await openDataDirectory({
    path: config.dataDir,
    program: 'metadata',
    formatVersion: FORMAT_VERSION,
  });
  onStop(() => directory.release());
  const store = meterStore(await openStore(config), registry, context.clock);
  onStop(() => store.close());
  const { services, keepWatch } = createMetadataParts(store, context);
  registerBuildInfo(registry, softwareVersion);

  let ready = false;
  const http =
    config.http === undefined
      ? undefined
      : await startHttpEndpoint({ listen: config.http, registry, isReady: () => ready });
  if (http !== undefined) onStop(() => http.close());
  const paths = services.flatMap(({ methods }) => Object.values(methods).map(({ method }) => method.path));
  const metrics = createRpcServerMetrics(registry, paths);
  const server = await startRpcServer({
    listen: config.listen,
    credentials: credentials.server,
    services,
    metrics,
    logger,
  });
  onStop(() => server.drain());
  const watch = new AbortController();
  const watching = keepWatch(watch.signal);
  onStop(async () => {
    ready = false;
    watch.abort();
    await watching;
  });
  ready = true;
  logger.info({ address: server.address, http: http?.address, engine: config.engine }, 'metadata is serving');

  return { address: server.address, httpAddress: http?.address };
}

function openStore({ engine, dataDir }: MetadataConfig): Promise<MetadataStore> {
  switch (engine) {
    case 'lmdb':
      return openLmdbStore(join(dataDir, 'store'));
    case 'memory':
      return Promise.resolve(createMemoryStore());
  }
}
