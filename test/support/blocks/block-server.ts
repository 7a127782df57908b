import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createPublicKey } from 'node:crypto';
import { Registry } from 'prom-client';
import { systemClock } from '../../../common/clock.js';
import { idOfPublicKey, type AgentId, type NamespaceId } from '../../../common/ids.js';
import { silentLogger } from '../../../common/logging.js';
import { rawPublicKey } from '../../../common/receipt.js';
import { openChannel, type RpcChannel } from '../../../common/rpc/client.js';
import { plaintextCredentials } from '../../../common/rpc/credentials.js';
import { createRpcServerMetrics } from '../../../common/rpc/rpc-metrics.js';
import { startRpcServer, type RpcServer, type ServedService } from '../../../common/rpc/server.js';
import { connectBlockServer, type BlockClient } from '../../../server/block-client.js';
import { blockMethods, type BlockCalls } from '../../../server/block-codec.js';
import { createBlockMetrics, type BlockMetrics } from '../../../server/block-metrics.js';
import { createBlockService } from '../../../server/block-service.js';
import type { BlockStore } from '../../../server/block-store.js';
import { MemoryBlockStore } from '../../../server/memory-block-store.js';
import { createReceiptSigner } from '../../../server/receipt-signer.js';

/** A block server on a free port of the loopback, and the client's end of a connection to it. */
export interface BlockServerPair {
  readonly rpc: RpcServer;
  readonly channel: RpcChannel;
  readonly client: BlockClient;
  /** The bare RPCs, for requests that the client would never send. */
  readonly calls: BlockCalls;
  readonly store: BlockStore;
  readonly metrics: BlockMetrics;
  readonly registry: Registry;
  /** With which the server's receipts are verified. */
  readonly publicKey: KeyObject;
  readonly agentId: AgentId;
  /** The value of a series, its labels as in the text format. */
  metric(series: string): Promise<number>;
  close(): Promise<void>;
}

export interface BlockServerOptions {
  /** Makes the store; a memory store unless given. */
  readonly createStore?: (metrics: BlockMetrics) => BlockStore;
  readonly isAssigned?: (namespaceId: NamespaceId) => boolean;
}

export async function startBlockServer(options: BlockServerOptions = {}): Promise<BlockServerPair> {
  const registry = new Registry();
  const metrics = createBlockMetrics(registry);
  const store = options.createStore?.(metrics) ?? new MemoryBlockStore();
  const { privateKey } = generateKeyPairSync('ed25519');
  const rawKey = rawPublicKey(privateKey);
  const agentId = idOfPublicKey<AgentId>(rawKey);
  const service = createBlockService({
    store,
    isAssigned: options.isAssigned ?? (() => true),
    receipts: createReceiptSigner({ id: agentId, privateKey, publicKey: rawKey }, systemClock),
    metrics,
    registry,
  });
  const { rpc, channel, close } = await serveBlocks(service);
  return {
    rpc,
    channel,
    client: connectBlockServer(channel),
    calls: channel.service(blockMethods),
    store,
    metrics,
    registry,
    publicKey: createPublicKey(privateKey),
    agentId,
    metric: (series) => metricOf(registry, series),
    async close() {
      await close();
      await store.close();
    },
  };
}

/** Serves any implementation of the block service, be it a lying one, and connects to it. */
export async function serveBlocks(
  service: ServedService,
): Promise<{ readonly rpc: RpcServer; readonly channel: RpcChannel; close(): Promise<void> }> {
  const credentials = plaintextCredentials();
  const rpc = await startRpcServer({
    listen: '127.0.0.1:0',
    credentials: credentials.server,
    services: [service],
    metrics: createRpcServerMetrics(new Registry(), []),
    logger: silentLogger(),
  });
  const channel = openChannel(rpc.address, credentials.channel);
  return {
    rpc,
    channel,
    async close() {
      channel.close();
      await rpc.drain(100);
    },
  };
}

/** The value of a series of a registry, its labels as in the text format. */
export async function metricOf(registry: Registry, series: string): Promise<number> {
  const line = (await registry.metrics()).split('\n').find((candidate) => candidate.startsWith(`${series} `));
  if (line === undefined) throw new Error(`there is no series ${series}`);
  return Number(line.slice(series.length + 1));
}
