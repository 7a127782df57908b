import type { Clock } from '../clock.js';
import { type DrystoneError, toDrystoneError } from '../errors.js';
import { retryLimits } from '../limits.js';
import type { Random } from '../random.js';

/**
 * How long to wait after failed attempt `attempt` (from 0): what the error asks for, and on top of it a delay that doubles
 * with each attempt, of which half is random. Many who were told the same do not come back at the same moment.
 */
export function retryDelayMs(attempt: number, error: DrystoneError, random: Random): number {
  const ceiling = Math.min(retryLimits.maxDelayMs, retryLimits.initialDelayMs * 2 ** Math.min(attempt, 20));
  return (error.details.retryAfterMs ?? 0) + Math.round(ceiling * (0.5 + random.fraction() / 2));
}

export interface RetryOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly signal?: AbortSignal;
  /** Attempts in all; `retryLimits.attempts` unless set. Infinity for daemons that never give up. */
  readonly attempts?: number;
  /** Told of each failed attempt that will be repeated. */
  readonly onRetry?: (error: DrystoneError, delayMs: number) => void;
}

/**
 * Runs `work` until it succeeds, raises an error that is not transient, or the attempts are used up; then its last error
 * is raised. CANCELLED where the signal aborts between two attempts. `work` must be idempotent.
 */
export async function withRetries<T>(options: RetryOptions, work: (attempt: number) => Promise<T>): Promise<T> {
  const attempts = options.attempts ?? retryLimits.attempts;
  for (let attempt = 0; ; attempt++) {
    try {
      return await work(attempt);
    } catch (thrown) {
      const error = toDrystoneError(thrown);
      if (!error.isTransient || attempt + 1 >= attempts || options.signal?.aborted === true) throw error;
      const delayMs = retryDelayMs(attempt, error, options.random);
      options.onRetry?.(error, delayMs);
      await options.clock.sleep(delayMs, options.signal).catch((reason: unknown) => {
        throw toDrystoneError(reason);
      });
    }
  }
}
