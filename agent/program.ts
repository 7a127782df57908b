import { join } from 'node:path';
import { isWildcardHost, parseHostPort } from '../common/address.js';
import { anySignal } from '../common/concurrency/any-signal.js';
import { invalidArgument } from '../common/errors.js';
import { markPrivate } from '../common/files/private-mark.js';
import type { HeldIdentity } from '../common/identity/held-identity.js';
import { keepRenewed } from '../common/identity/renewal.js';
import { checkListenable } from '../common/program/check-listenable.js';
import type { ServerContext, RunningProgram } from '../common/program/context.js';
import { openDataDirectory } from '../common/program/data-directory.js';
import { startHttpEndpoint } from '../common/program/http-endpoint.js';
import { startProgram, type OnStop } from '../common/program/start-program.js';
import { CallGate } from '../common/rpc/call-gate.js';
import { openChannel } from '../common/rpc/client.js';
import { createRpcServerMetrics } from '../common/rpc/rpc-metrics.js';
import { startRpcServer, type RpcServer, type ServedService } from '../common/rpc/server.js';
import { mutualTls, type TransportCredentials } from '../common/rpc/transport-credentials.js';
import { trackCertificate } from '../common/rpc/trust-metrics.js';
import { FeedServiceService } from '../proto/gen/drystone/feed/v1/feed.js';
import { FleetServiceService } from '../proto/gen/drystone/metadata/v1/fleet.js';
import { createBlockMetrics } from '../server/block-metrics.js';
import { createBlockService } from '../server/block-service.js';
import { openBlockStore } from '../server/open-block-store.js';
import { createReceiptSigner } from '../server/receipt-signer.js';
import { openAgentIdentity, parseJoinToken } from './agent-identity.js';
import { registerAgentGauges } from './agent-metrics.js';
import { readCapacity } from './capacity.js';
import type { AgentConfig } from './config.js';
import { createAgentFeeds } from './feed/agent-feeds.js';
import { openLmdbFeedStore } from './feed/lmdb-feed-store.js';
import type { FleetStanding } from './fleet-standing.js';
import { loadLastSaid } from './last-said.js';
import { MetadataLink } from './metadata-link.js';

/** The newest format of the data directory that this release reads and writes (docs/storage-format.md). */
const FORMAT_VERSION = 1;

/**
 * Starts an agent: a block server that holds the namespaces which metadata assigns to it. The first time it joins the fleet
 * by its one-time token, for which metadata must be there; from then on it serves as soon as the promise resolves, whether
 * metadata is there or not.
 *
 * Raises FAILED_PRECONDITION where the data directory is in use, newer or something else, holds no identity that counts
 * (`openAgentIdentity`), or an address cannot be had; INVALID_ARGUMENT where the token is none, or no address is known that
 * clients could be told; and what joining raises. Then nothing stays open.
 */
export function startAgent(config: AgentConfig, context: ServerContext): Promise<RunningProgram> {
  return startProgram((onStop) => openAgent(config, context, onStop));
}

async function openAgent(
  config: AgentConfig,
  context: ServerContext,
  onStop: OnStop,
): Promise<Omit<RunningProgram, 'stop'>> {
  const { clock, logger, registry, random } = context;
  const { dataDir, metadata, freeFloorBytes } = config;
  checkAddresses(config);
  parseJoinToken(config);
  const directory = await openDataDirectory({ path: dataDir, program: 'agent', formatVersion: FORMAT_VERSION });
  onStop(() => directory.release());
  await markPrivate(dataDir);
  // Before the token, which counts once, is used up.
  await checkListenable('listen', config.listen);
  if (config.http !== undefined) await checkListenable('http', config.http);
  const { held, identity } = await openAgentIdentity(config, context);
  trackCertificate(registry, held, clock);
  const transport = mutualTls(held);
  const metrics = createBlockMetrics(registry);
  const { assigned, tokenKeys, lastWord, standing, access } = await loadLastSaid(dataDir, context, metrics);
  onStop(() => lastWord.keep());
  const path = join(dataDir, 'blocks');
  const { agentId, premises } = identity;
  const store = await openBlockStore({ path, freeFloorBytes, premises, clock, logger, registry, metrics });
  onStop(() => store.close());
  const receipts = createReceiptSigner({ id: identity.agentId, privateKey: held.privateKey }, clock);
  const service = createBlockService({ store, access, receipts, metrics, registry });

  const channel = openChannel(metadata, transport.channelTo('metadata'));
  onStop(async () => channel.close());
  const feedStore = await openLmdbFeedStore(join(dataDir, 'feeds'), random);
  onStop(() => feedStore.close());
  const feed = channel.service(FeedServiceService);
  const feeds = createAgentFeeds(
    { agentId, store: feedStore, blocks: store, receipts, access, assigned, feed },
    context,
  );
  onStop(() => feeds.stop());
  const server = await serveAgent(config, context, transport, [service, feeds.service]);
  onStop(() => server.drain());

  const link = new MetadataLink({
    fleet: channel.service(FleetServiceService),
    agentId,
    address: config.advertise ?? server.address,
    assigned,
    tokenKeys,
    standing,
    onHeard: () => lastWord.heard(),
    readCapacity: () => readCapacity(path, store, freeFloorBytes),
    clock,
    random,
    logger,
  });
  registerAgentGauges(registry, { link, assigned, standing, lastWord });
  let isDraining = false;
  const isReady = (): boolean => !isDraining && !standing.isRevoked;
  const http =
    config.http === undefined ? undefined : await startHttpEndpoint({ listen: config.http, registry, isReady });
  if (http !== undefined) onStop(() => http.close());
  onStop(renewInBackground({ held, config, transport, standing }, context));
  feeds.start();
  link.start();
  logger.info({ address: server.address, http: http?.address, agent: agentId }, 'agent is serving');

  // Metadata is told first and the line is held until the last upload is done, so that no client is sent here anew.
  onStop(async () => {
    isDraining = true;
    link.drain();
    await server.drain();
    await link.end();
  });
  return { address: server.address, httpAddress: http?.address };
}

function serveAgent(
  { listen }: AgentConfig,
  { clock, registry, logger }: ServerContext,
  transport: TransportCredentials,
  services: readonly ServedService[],
): Promise<RpcServer> {
  const paths = services.flatMap(({ methods }) => Object.values(methods).map(({ method }) => method.path));
  return startRpcServer({
    listen,
    credentials: transport.server,
    services,
    gate: new CallGate({ clock }),
    metrics: createRpcServerMetrics(registry, paths),
    logger,
  });
}

interface Renewal {
  readonly held: HeldIdentity;
  readonly config: AgentConfig;
  readonly transport: TransportCredentials;
  readonly standing: FleetStanding;
}

/** Keeps the certificate renewed until the identity is revoked, or until the function that is returned is called. */
function renewInBackground(
  { held, config, transport, standing }: Renewal,
  { clock, random, logger }: ServerContext,
): () => Promise<void> {
  const stopping = new AbortController();
  const { dataDir: dir, metadata: address } = config;
  const renewed = keepRenewed(
    { held, dir, name: 'agent', address, transport, clock, random, logger },
    anySignal([stopping.signal, standing.revoked]),
  );
  return () => {
    stopping.abort();
    return renewed;
  };
}

function checkAddresses({ listen, advertise, metadata }: AgentConfig): void {
  parseReachable('metadata', metadata);
  if (advertise !== undefined) parseReachable('advertise', advertise);
  else if (isWildcardHost(parseHostPort('listen', listen).host)) {
    throw invalidArgument('advertise', `must be given, because clients cannot connect to ${listen}`);
  }
}

function parseReachable(field: string, address: string): void {
  const { host, port } = parseHostPort(field, address);
  if (port === 0 || isWildcardHost(host))
    throw invalidArgument(field, `must be an address to connect to, not ${address}`);
}
