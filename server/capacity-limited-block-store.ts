import type { Clock } from '../common/clock.js';
import { InFlightGate } from '../common/concurrency/in-flight-gate.js';
import { DrystoneError } from '../common/errors.js';
import type { NamespaceId } from '../common/ids.js';
import { blockServerLimits } from '../common/limits.js';
import type { Block } from './block.js';
import type { BlockStore, BlockStoreStats, PutOutcome } from './block-store.js';
import type { FreeSpace } from './free-space.js';

export interface CapacityOptions {
  readonly space: FreeSpace;
  /** Free space that stays free. */
  readonly floorBytes: number;
  readonly clock: Clock;
}

/**
 * Refuses blocks with RESOURCE_EXHAUSTED (DISK_FULL, with a retry delay) before the disk is full: where the free space,
 * less what is being written, would fall below the floor. Everything but `put` passes. The free space is read at most
 * every `blockServerLimits.freeSpaceMaxAgeMs`; what was written since counts as used, be it new or not.
 */
export class CapacityLimitedBlockStore implements BlockStore {
  /** Covers the look at the free space: a put that has begun still reaches the store. */
  readonly #gate = new InFlightGate('the block store');
  #freeBytes = 0;
  #reading: Promise<void> | undefined;
  #readAtMs = Number.NEGATIVE_INFINITY;
  /** Bytes of puts under way, and of all that began since the last reading: it may not show them yet. */
  #writingBytes = 0;
  #sinceReadingBytes = 0;

  constructor(
    readonly store: BlockStore,
    readonly options: CapacityOptions,
  ) {}

  put(namespaceId: NamespaceId, blocks: readonly Block[]): Promise<PutOutcome> {
    return this.#gate.run(() => this.#put(namespaceId, blocks));
  }

  sizes(namespaceId: NamespaceId, hashes: Uint8Array): Promise<readonly number[]> {
    return this.store.sizes(namespaceId, hashes);
  }

  get(namespaceId: NamespaceId, hashes: Uint8Array): Promise<readonly (Buffer | undefined)[]> {
    return this.store.get(namespaceId, hashes);
  }

  discard(hash: Uint8Array): Promise<void> {
    return this.store.discard(hash);
  }

  stats(): Promise<BlockStoreStats> {
    return this.store.stats();
  }

  close(): Promise<void> {
    return this.#gate.close(() => this.store.close());
  }

  async #put(namespaceId: NamespaceId, blocks: readonly Block[]): Promise<PutOutcome> {
    const bytes = blocks.reduce((sum, { data }) => sum + data.length, 0);
    await this.#refresh();
    if (!this.#hasRoomFor(bytes)) throw this.#diskFull();
    this.#writingBytes += bytes;
    this.#sinceReadingBytes += bytes;
    try {
      return await this.store.put(namespaceId, blocks);
    } catch (thrown) {
      throw await this.#explain(thrown, bytes);
    } finally {
      this.#writingBytes -= bytes;
    }
  }

  #hasRoomFor(bytes: number): boolean {
    return this.#freeBytes - this.#sinceReadingBytes - bytes >= this.options.floorBytes;
  }

  /** Reads the free space anew where the last reading is old; puts that come meanwhile wait for the same reading. */
  async #refresh(): Promise<void> {
    if (this.options.clock.monotonicMs() - this.#readAtMs < blockServerLimits.freeSpaceMaxAgeMs) return;
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    await this.#reading;
  }

  async #read(): Promise<void> {
    // Puts that end while the disk is being asked may or may not be in its answer.
    const writingBytes = this.#writingBytes;
    const sinceReadingBytes = this.#sinceReadingBytes;
    this.#freeBytes = await this.options.space.freeBytes();
    this.#readAtMs = this.options.clock.monotonicMs();
    this.#sinceReadingBytes = this.#sinceReadingBytes - sinceReadingBytes + writingBytes;
  }

  /** The engine cannot tell a full disk from a broken one; the free space can. */
  async #explain(thrown: unknown, bytes: number): Promise<unknown> {
    if (!(thrown instanceof DrystoneError) || thrown.reason !== 'STORE_FAILED') return thrown;
    return (await this.options.space.freeBytes()) < bytes + this.options.floorBytes ? this.#diskFull(thrown) : thrown;
  }

  #diskFull(cause?: unknown): DrystoneError {
    const retryAfterMs = blockServerLimits.diskFullRetryMs;
    const message =
      `free space has reached the floor of ${this.options.floorBytes} bytes; ` +
      'free some, add a disk or lower the floor, or let the namespace move to another agent';
    return new DrystoneError('RESOURCE_EXHAUSTED', 'DISK_FULL', message, { retryAfterMs }, { cause });
  }
}
