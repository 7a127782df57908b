import type { Clock } from '../common/clock.js';
import { InFlightGate } from '../common/concurrency/in-flight-gate.js';
import { DrystoneError } from '../common/errors.js';
import { formatBytes } from '../common/format-bytes.js';
import type { NamespaceId } from '../common/ids.js';
import { blockServerLimits } from '../common/limits.js';
import type { Logger } from '../common/logging.js';
import type { Block } from './block.js';
import type { BlockStore, BlockStoreStats, PutOutcome } from './block-store.js';
import type { FreeSpace } from './free-space.js';

export interface CapacityOptions {
  readonly space: FreeSpace;
  /** Free space that stays free. */
  readonly floorBytes: number;
  /** Where the disk is, for people. */
  readonly premises: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Refuses blocks with RESOURCE_EXHAUSTED (DISK_FULL, with a retry delay) before the disk is full: where the free space,
 * less what is being written, would fall below the floor. Everything but `put` passes. The free space is read at most
 * every `blockServerLimits.freeSpaceMaxAgeMs`; what was written since counts as used, be it new or not.
 * That it has begun to refuse is logged once, and once that what it had refused would find room again.
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
  /** The most that has been refused since there was room for all that came; undefined where nothing has. */
  #refusedBytes: number | undefined;

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
    if (!this.#hasRoomFor(bytes)) throw this.#refusal(bytes, this.#diskFull());
    this.#noteRoom();
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

  /** The engine cannot always tell a full disk from a broken one; the free space can. */
  async #explain(thrown: unknown, bytes: number): Promise<unknown> {
    if (!(thrown instanceof DrystoneError)) return thrown;
    const isFull = thrown.reason === 'DISK_FULL';
    if (!isFull && thrown.reason !== 'STORE_FAILED') return thrown;
    if (!isFull && (await this.options.space.freeBytes()) >= bytes + this.options.floorBytes) return thrown;
    // The disk has less than was read last.
    this.#readAtMs = Number.NEGATIVE_INFINITY;
    return this.#refusal(bytes, isFull ? thrown : this.#diskFull(thrown));
  }

  /** `error`, with which `bytes` are refused; logged where it is the first since there was room. */
  #refusal(bytes: number, error: DrystoneError): DrystoneError {
    if (this.#refusedBytes === undefined) this.options.logger.warn(`blocks are refused: ${error.message}`);
    this.#refusedBytes = Math.max(this.#refusedBytes ?? 0, bytes);
    return error;
  }

  /** Little finds room where much does not: blocks are taken again once the most that was refused would be. */
  #noteRoom(): void {
    if (this.#refusedBytes === undefined || !this.#hasRoomFor(this.#refusedBytes)) return;
    this.#refusedBytes = undefined;
    this.options.logger.info('there is room again: blocks are taken');
  }

  #diskFull(cause?: unknown): DrystoneError {
    const retryAfterMs = blockServerLimits.diskFullRetryMs;
    const message =
      `at ${this.options.premises} free space has reached the floor of ${formatBytes(this.options.floorBytes)}; ` +
      'free some, add a disk or lower the floor, or let the namespace move to another agent';
    return new DrystoneError('RESOURCE_EXHAUSTED', 'DISK_FULL', message, { retryAfterMs }, { cause });
  }
}
