import type { Registry } from 'prom-client';
import type { BlockAccess } from './block-access.js';
import type { BlockMetrics } from './block-metrics.js';
import type { BlockStore } from './block-store.js';
import type { OpenStreams } from './open-streams.js';
import type { PutBudget } from './put-budget.js';
import type { ReceiptSigner } from './receipt-signer.js';

/** What a block server is made of. */
export interface BlockServiceOptions {
  readonly store: BlockStore;
  readonly access: BlockAccess;
  readonly receipts: ReceiptSigner;
  readonly metrics: BlockMetrics;
  /** Where the gauges of the service's streams are registered. */
  readonly registry: Registry;
}

/** What the streams of one block server share. */
export interface BlockServer extends BlockServiceOptions {
  readonly streams: OpenStreams;
  readonly putBudget: PutBudget;
}
