import type { ByteBudget } from '../common/concurrency/byte-budget.js';
import { overloaded } from '../common/errors.js';
import { blockServerLimits } from '../common/limits.js';
import type { BlockMethod } from './block-metrics.js';

/** A stream's place among those that a server has open. */
export interface OpenStream {
  /** Gives the place back. Idempotent. */
  leave(): void;
}

/** Knows the streams that a block server has open, refuses more than it can serve, and sums up what they have in flight. */
export class OpenStreams {
  readonly #budgets = { put: new Set<ByteBudget>(), get: new Set<ByteBudget>(), has: new Set<ByteBudget>() };

  /** @param onRefusal told of each stream refused. */
  constructor(readonly onRefusal: () => void) {}

  /** Takes a place for a stream with this budget; RESOURCE_EXHAUSTED (OVERLOADED) where all are taken. */
  enter(method: BlockMethod, budget: ByteBudget): OpenStream {
    const budgets = this.#budgets[method];
    if (budgets.size >= blockServerLimits.streamsPerMethod) {
      this.onRefusal();
      throw overloaded(`this server has ${budgets.size} ${method} streams open`, blockServerLimits.overloadedRetryMs);
    }
    budgets.add(budget);
    return { leave: () => void budgets.delete(budget) };
  }

  /** Streams open now. */
  count(method: BlockMethod): number {
    return this.#budgets[method].size;
  }

  /** What the budgets of the open streams have granted. */
  bytesInFlight(method: BlockMethod): number {
    let bytes = 0;
    for (const { usedBytes } of this.#budgets[method]) bytes += usedBytes;
    return bytes;
  }
}
