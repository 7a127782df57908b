import { createPublicKey, type KeyObject } from 'node:crypto';
import { Registry } from 'prom-client';
import { systemClock, type Clock } from '../../../common/clock.js';
import type { HeldIdentity } from '../../../common/identity/held-identity.js';
import type { AgentId, NamespaceId } from '../../../common/ids.js';
import { silentLogger } from '../../../common/logging.js';
import { CallGate } from '../../../common/rpc/call-gate.js';
import { openChannel, type RpcChannel } from '../../../common/rpc/client.js';
import { createRpcServerMetrics } from '../../../common/rpc/rpc-metrics.js';
import { startRpcServer, type RpcServer, type ServedService } from '../../../common/rpc/server.js';
import { tokenAccess } from '../../../server/block-access.js';
import { connectBlockServer, type BlockClient } from '../../../server/block-client.js';
import { blockMethods, type BlockCalls } from '../../../server/block-codec.js';
import { createBlockMetrics, type BlockMetrics } from '../../../server/block-metrics.js';
import { createBlockService } from '../../../server/block-service.js';
import type { BlockStore } from '../../../server/block-store.js';
import { MemoryBlockStore } from '../../../server/memory-block-store.js';
import { createReceiptSigner } from '../../../server/receipt-signer.js';
import { agentIdOf, BlockFleet, type Rights } from './block-fleet.js';

/** A device's end of a connection to a block server. */
export interface ConnectedDevice {
  readonly held: HeldIdentity;
  readonly channel: RpcChannel;
  readonly client: BlockClient;
  /** The bare RPCs, for requests that the client would never send; with a good access token unless one is given. */
  readonly calls: BlockCalls;
}

/** A block server on a free port of the loopback, and a device that may read and write two namespaces there. */
export interface BlockServerPair extends ConnectedDevice {
  readonly rpc: RpcServer;
  readonly fleet: BlockFleet;
  readonly store: BlockStore;
  readonly metrics: BlockMetrics;
  readonly registry: Registry;
  /** With which the server's receipts are verified. */
  readonly publicKey: KeyObject;
  readonly agentId: AgentId;
  /**
   * Connects another device, with access tokens of these rights, issued to itself unless `holder` is another; its
   * connection ends with the server.
   */
  connect(held: HeldIdentity, rights?: Rights, clock?: Clock, holder?: HeldIdentity): Promise<ConnectedDevice>;
  /** The value of a series, its labels as in the text format. */
  metric(series: string): Promise<number>;
  close(): Promise<void>;
}

export interface BlockServerOptions {
  /** Makes the store; a memory store unless given. */
  readonly createStore?: (metrics: BlockMetrics) => BlockStore;
  readonly isAssigned?: (namespaceId: NamespaceId) => boolean;
  readonly isRevoked?: () => boolean;
  /** By which the server verifies tokens, and tokens are issued. */
  readonly clock?: Clock;
}

export async function startBlockServer(options: BlockServerOptions = {}): Promise<BlockServerPair> {
  const { clock = systemClock } = options;
  const fleet = await BlockFleet.create(clock);
  const registry = new Registry();
  const metrics = createBlockMetrics(registry);
  const store = options.createStore?.(metrics) ?? new MemoryBlockStore();
  const agent = await fleet.authority.agent();
  const agentId = agentIdOf(agent);
  const service = createBlockService({
    store,
    access: tokenAccess({
      verifier: fleet.verifier(),
      isAssigned: options.isAssigned ?? (() => true),
      isRevoked: options.isRevoked ?? (() => false),
      clock,
      metrics,
    }),
    receipts: createReceiptSigner({ id: agentId, privateKey: agent.privateKey }, systemClock),
    metrics,
    registry,
  });
  const rpc = await serveAs(fleet, agent, service);
  const channels: RpcChannel[] = [];
  const connect: BlockServerPair['connect'] = async (held, rights, deviceClock = clock, holder = held) => {
    const channel = openChannel(rpc.address, fleet.authority.transportOf(held).channelTo(agentId));
    channels.push(channel);
    const client = connectBlockServer(channel, deviceClock, () => fleet.token(holder, rights));
    return {
      held,
      channel,
      client,
      calls: withToken(channel.service(blockMethods), await fleet.token(holder, rights)),
    };
  };
  return {
    ...(await connect(await fleet.authority.device(), undefined, systemClock)),
    rpc,
    fleet,
    store,
    metrics,
    registry,
    publicKey: createPublicKey(agent.privateKey),
    agentId,
    connect,
    metric: (series) => metricOf(registry, series),
    async close() {
      for (const channel of channels) channel.close();
      await rpc.drain(100);
      await store.close();
    },
  };
}

/** Serves any implementation of the block service, be it a lying one, and connects to it. */
export async function serveBlocks(
  service: ServedService,
): Promise<{ readonly client: BlockClient; close(): Promise<void> }> {
  const fleet = await BlockFleet.create();
  const agent = await fleet.authority.agent();
  const device = await fleet.authority.device();
  const rpc = await serveAs(fleet, agent, service);
  const channel = openChannel(rpc.address, fleet.authority.transportOf(device).channelTo(agentIdOf(agent)));
  return {
    client: connectBlockServer(channel, systemClock, () => fleet.token(device)),
    async close() {
      channel.close();
      await rpc.drain(100);
    },
  };
}

function serveAs({ authority }: BlockFleet, agent: HeldIdentity, service: ServedService): Promise<RpcServer> {
  return startRpcServer({
    listen: '127.0.0.1:0',
    credentials: authority.transportOf(agent).server,
    services: [service],
    gate: new CallGate({ clock: systemClock }),
    metrics: createRpcServerMetrics(new Registry(), []),
    logger: silentLogger(),
  });
}

function withToken(calls: BlockCalls, accessToken: string): BlockCalls {
  return {
    putBlocks: (requests, options) => calls.putBlocks(requests, { accessToken, ...options }),
    getBlocks: (requests, options) => calls.getBlocks(requests, { accessToken, ...options }),
    hasBlocks: (requests, options) => calls.hasBlocks(requests, { accessToken, ...options }),
  };
}

/** The value of a series of a registry, its labels as in the text format. */
export async function metricOf(registry: Registry, series: string): Promise<number> {
  const line = (await registry.metrics()).split('\n').find((candidate) => candidate.startsWith(`${series} `));
  if (line === undefined) throw new Error(`there is no series ${series}`);
  return Number(line.slice(series.length + 1));
}
