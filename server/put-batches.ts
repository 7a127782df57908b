import type { Clock } from '../common/clock.js';
import { blockServerLimits, wireLimits } from '../common/limits.js';
import type { Block } from './block.js';

/**
 * Gathers blocks into batches for put streams. Small ones share a batch until it is full or the source has paused for
 * `blockServerLimits.batchLingerMs`, so that a source which waits for receipts before it goes on gets them.
 */
export class PutBatches {
  /** The source's next result, asked for and not taken. */
  #next: Promise<IteratorResult<Block, unknown>> | undefined;

  constructor(
    readonly blocks: AsyncIterator<Block, unknown>,
    readonly clock: Clock,
  ) {}

  /** Whether there will be no further batch; waits for the source to say so. */
  async isFinished(): Promise<boolean> {
    return (await this.#peek()).done === true;
  }

  /**
   * The next batch, of at most `maxBlocks`: one block, or several that fit into `batchBytes` together; undefined after the
   * last, or where none may be taken. An error of the source is raised in its place.
   */
  async read(maxBlocks: number): Promise<readonly Block[] | undefined> {
    if (maxBlocks === 0 || (await this.isFinished())) return undefined;
    const linger = new AbortController();
    try {
      const pause = this.clock.sleep(blockServerLimits.batchLingerMs, linger.signal).catch(() => undefined);
      return await this.#fill(Math.min(maxBlocks, wireLimits.hashesPerMessage), pause);
    } finally {
      linger.abort();
    }
  }

  async #fill(maxBlocks: number, pause: Promise<unknown>): Promise<readonly Block[]> {
    const batch: Block[] = [];
    let bytes = 0;
    while (batch.length < maxBlocks) {
      const next = await Promise.race([this.#peek(), pause.then(() => undefined)]);
      if (next === undefined || next.done === true) break;
      bytes += next.value.data.length;
      if (batch.length > 0 && bytes > blockServerLimits.batchBytes) break;
      batch.push(next.value);
      this.#next = undefined;
    }
    return batch;
  }

  #peek(): Promise<IteratorResult<Block, unknown>> {
    if (this.#next === undefined) {
      this.#next = this.blocks.next();
      // Raised by whoever takes it; nobody may be waiting when it fails.
      this.#next.catch(() => undefined);
    }
    return this.#next;
  }
}
