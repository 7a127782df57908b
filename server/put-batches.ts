import type { Clock } from '../common/clock.js';
import { blockServerLimits, wireLimits } from '../common/limits.js';
import type { Block } from './block.js';
import type { SharedSource } from './shared-source.js';

type Pull = IteratorResult<Block, unknown>;

/**
 * Gathers blocks into batches for put streams. Small ones share a batch until it is full or the source has paused for
 * `blockServerLimits.batchLingerMs`, so that a source which waits for receipts before it goes on gets them.
 */
export class PutBatches {
  constructor(
    readonly source: SharedSource<Block>,
    readonly clock: Clock,
  ) {}

  /**
   * The next batch, of at most `maxBlocks`: one block, or several that fit into `batchBytes` together; undefined after the
   * last, or where none may be taken. An error of the source is raised in its place.
   */
  async read(maxBlocks: number): Promise<readonly Block[] | undefined> {
    if (maxBlocks === 0 || (await this.source.isFinished())) return undefined;
    const batch: Block[] = [];
    let bytes = 0;
    const linger = new Linger(this.clock);
    try {
      while (batch.length < Math.min(maxBlocks, wireLimits.hashesPerMessage)) {
        const next = await linger.wait(this.source.peek());
        if (next === undefined || next.done === true) break;
        bytes += next.value.data.length;
        if (batch.length > 0 && bytes > blockServerLimits.batchBytes) break;
        batch.push(next.value);
        this.source.take();
      }
      return batch;
    } finally {
      linger.end();
    }
  }
}

/** How long one batch waits for its blocks in all, beginning with the first that is not there at once. */
class Linger {
  readonly #ended = new AbortController();
  #pause: Promise<undefined> | undefined;

  constructor(readonly clock: Clock) {}

  /** What `pulled` resolves with, or undefined where that is not soon enough. */
  async wait(pulled: Promise<Pull>): Promise<Pull | undefined> {
    // A timer costs more than most waits: it is for a source that lets a turn of the event loop pass.
    const turn = new Promise<undefined>((resolve) => setImmediate(resolve, undefined));
    const next = await Promise.race([pulled, turn]);
    if (next !== undefined) return next;
    const over = (): undefined => undefined;
    this.#pause ??= this.clock.sleep(blockServerLimits.batchLingerMs, this.#ended.signal).then(over, over);
    return Promise.race([pulled, this.#pause]);
  }

  end(): void {
    this.#ended.abort();
  }
}
