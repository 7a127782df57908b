import type { Registry } from 'prom-client';
import type { Clock } from '../common/clock.js';
import type { BlockAccess } from './block-access.js';
import type { BlockMetrics } from './block-metrics.js';
import type { BlockReader, BlockStore } from './block-store.js';
import type { OpenStreams } from './open-streams.js';
import type { PutBudget } from './put-budget.js';
import type { ReceiptSigner } from './receipt-signer.js';

/** What a server that gives blocks and takes none is made of. */
export interface BlockReadServiceOptions {
  /** What it gives. */
  readonly store: BlockReader;
  /** What it says that it holds; `store` unless given. */
  readonly holds?: Pick<BlockReader, 'sizes'>;
  /** Where set, a get stream that has nothing to send says at this clock's intervals that it is alive. */
  readonly signs?: Clock;
  readonly access: BlockAccess;
  readonly metrics: BlockMetrics;
  /** Where the gauges of the service's streams are registered. */
  readonly registry: Registry;
}

/** What a block server is made of. */
export interface BlockServiceOptions extends BlockReadServiceOptions {
  readonly store: BlockStore;
  readonly receipts: ReceiptSigner;
}

/** What the streams of one server that gives blocks share. */
export interface BlockReadServer extends BlockReadServiceOptions {
  readonly streams: OpenStreams;
}

/** What the streams of one block server share. */
export interface BlockServer extends BlockServiceOptions {
  readonly streams: OpenStreams;
  readonly putBudget: PutBudget;
}
