import { join } from 'node:path';
import { isWildcardHost, parseHostPort } from '../common/address.js';
import { invalidArgument } from '../common/errors.js';
import type { AgentId } from '../common/ids.js';
import type { ProgramContext, RunningProgram } from '../common/program/context.js';
import { openDataDirectory } from '../common/program/data-directory.js';
import { startHttpEndpoint } from '../common/program/http-endpoint.js';
import { loadOrCreateSigningKey } from '../common/program/signing-key.js';
import { startProgram, type OnStop } from '../common/program/start-program.js';
import { openChannel } from '../common/rpc/client.js';
import { createRpcServerMetrics } from '../common/rpc/rpc-metrics.js';
import { startRpcServer } from '../common/rpc/server.js';
import { FleetServiceService } from '../proto/gen/drystone/metadata/v1/fleet.js';
import { createBlockMetrics } from '../server/block-metrics.js';
import { createBlockService } from '../server/block-service.js';
import { openBlockStore } from '../server/open-block-store.js';
import { createReceiptSigner } from '../server/receipt-signer.js';
import { registerAgentGauges } from './agent-metrics.js';
import { AssignedNamespaces } from './assigned-namespaces.js';
import { readCapacity } from './capacity.js';
import type { AgentConfig } from './config.js';
import { MetadataLink } from './metadata-link.js';

/** The newest format of the data directory that this release reads and writes (docs/storage-format.md). */
const FORMAT_VERSION = 1;

/**
 * Starts an agent: a block server that holds the namespaces which metadata assigns to it. It serves as soon as the promise
 * resolves, whether metadata is there or not. Raises FAILED_PRECONDITION where the data directory is in use, newer or
 * something else, or an address cannot be had, and INVALID_ARGUMENT where no address is known that clients could be told;
 * then nothing stays open.
 */
export function startAgent(config: AgentConfig, context: ProgramContext): Promise<RunningProgram> {
  return startProgram((onStop) => openAgent(config, context, onStop));
}

async function openAgent(
  config: AgentConfig,
  context: ProgramContext,
  onStop: OnStop,
): Promise<Omit<RunningProgram, 'stop'>> {
  const { clock, logger, registry, random, credentials } = context;
  checkAddresses(config);
  const directory = await openDataDirectory({ path: config.dataDir, program: 'agent', formatVersion: FORMAT_VERSION });
  onStop(() => directory.release());
  const key = await loadOrCreateSigningKey<AgentId>(join(config.dataDir, 'agent.key'));
  const assigned = await AssignedNamespaces.load(join(config.dataDir, 'assignments.json'));
  const metrics = createBlockMetrics(registry);
  const { freeFloorBytes } = config;
  const path = join(config.dataDir, 'blocks');
  const store = await openBlockStore({ path, freeFloorBytes, clock, logger, registry, metrics });
  onStop(() => store.close());

  const service = createBlockService({
    store,
    isAssigned: (namespaceId) => assigned.holds(namespaceId),
    receipts: createReceiptSigner(key, clock),
    metrics,
    registry,
  });
  const server = await startRpcServer({
    listen: config.listen,
    credentials: credentials.server,
    services: [service],
    metrics: createRpcServerMetrics(
      registry,
      Object.values(service.methods).map(({ method }) => method.path),
    ),
    logger,
  });
  onStop(() => server.drain());

  const channel = openChannel(config.metadata, credentials.channel);
  onStop(async () => channel.close());
  const link = new MetadataLink({
    fleet: channel.service(FleetServiceService),
    key,
    premises: config.premises,
    address: config.advertise ?? server.address,
    assigned,
    readCapacity: () => readCapacity(path, store, freeFloorBytes),
    clock,
    random,
    logger,
  });
  registerAgentGauges(registry, link, assigned);
  let isReady = true;
  const http =
    config.http === undefined
      ? undefined
      : await startHttpEndpoint({ listen: config.http, registry, isReady: () => isReady });
  if (http !== undefined) onStop(() => http.close());
  link.start();
  logger.info({ address: server.address, http: http?.address, agent: key.id }, 'agent is serving');

  // Metadata is told first and the line is held until the last upload is done, so that no client is sent here anew.
  onStop(async () => {
    isReady = false;
    link.drain();
    await server.drain();
    await link.end();
  });
  return { address: server.address, httpAddress: http?.address };
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
