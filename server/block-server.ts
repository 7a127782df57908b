import type { Registry } from 'prom-client';
import type { ByteBudget } from '../common/concurrency/byte-budget.js';
import type { NamespaceId } from '../common/ids.js';
import type { BlockMetrics } from './block-metrics.js';
import type { BlockStore } from './block-store.js';
import type { OpenStreams } from './open-streams.js';
import type { ReceiptSigner } from './receipt-signer.js';

/** What a block server is made of. */
export interface BlockServiceOptions {
  readonly store: BlockStore;
  /** Whether this server holds the namespace now. */
  readonly isAssigned: (namespaceId: NamespaceId) => boolean;
  readonly receipts: ReceiptSigner;
  readonly metrics: BlockMetrics;
  /** Where the gauges of the service's streams are registered. */
  readonly registry: Registry;
}

/** What the streams of one block server share. */
export interface BlockServer extends BlockServiceOptions {
  readonly streams: OpenStreams;
  /** Bytes of all put streams together. */
  readonly putBudget: ByteBudget;
}
