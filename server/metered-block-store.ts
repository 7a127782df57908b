import type { Clock } from '../common/clock.js';
import type { NamespaceId } from '../common/ids.js';
import type { Block } from './block.js';
import type { BlockMetrics } from './block-metrics.js';
import type { BlockStore, BlockStoreStats, PutOutcome } from './block-store.js';

/** Counts and times what is put into a store and got out of it. */
export class MeteredBlockStore implements BlockStore {
  constructor(
    readonly store: BlockStore,
    readonly metrics: BlockMetrics,
    readonly clock: Clock,
  ) {}

  async put(namespaceId: NamespaceId, blocks: readonly Block[]): Promise<PutOutcome> {
    const startedMs = this.clock.monotonicMs();
    const outcome = await this.store.put(namespaceId, blocks);
    const bytes = blocks.reduce((sum, { data }) => sum + data.length, 0);
    this.metrics.putSeconds.observe(this.#secondsSince(startedMs));
    this.metrics.putBlocks.inc(blocks.length);
    this.metrics.putBytes.inc(bytes);
    this.metrics.dedupBlocks.inc(blocks.length - outcome.newBlocks);
    this.metrics.dedupBytes.inc(bytes - outcome.newBytes);
    for (const { data } of blocks) this.metrics.putBlockSizeBytes.observe(data.length);
    return outcome;
  }

  sizes(namespaceId: NamespaceId, hashes: Uint8Array): Promise<readonly number[]> {
    return this.store.sizes(namespaceId, hashes);
  }

  async get(namespaceId: NamespaceId, hashes: Uint8Array): Promise<readonly (Buffer | undefined)[]> {
    const startedMs = this.clock.monotonicMs();
    const found = await this.store.get(namespaceId, hashes);
    this.metrics.getSeconds.observe(this.#secondsSince(startedMs));
    for (const data of found) {
      if (data === undefined) continue;
      this.metrics.getBlocks.inc();
      this.metrics.getBytes.inc(data.length);
      this.metrics.getBlockSizeBytes.observe(data.length);
    }
    return found;
  }

  discard(hash: Uint8Array): Promise<void> {
    return this.store.discard(hash);
  }

  stats(): Promise<BlockStoreStats> {
    return this.store.stats();
  }

  close(): Promise<void> {
    return this.store.close();
  }

  #secondsSince(startedMs: number): number {
    return (this.clock.monotonicMs() - startedMs) / 1000;
  }
}
