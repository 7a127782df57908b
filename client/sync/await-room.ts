import type { Clock } from '../../common/clock.js';
import { retryLimits } from '../../common/limits.js';
import type { UntilRoom } from '../state/until-room.js';
import type { ProgressReporter } from './progress-reporter.js';

/**
 * Says that the disk of the folder's state is full, and has the change tried again after the delay that its error asks for: as
 * long as it takes, or, with `once`, `retryLimits.attempts` times. Ends when `signal` aborts.
 */
export function awaitRoom(
  reporter: Pick<ProgressReporter, 'waiting'>,
  clock: Clock,
  once: boolean,
  signal: AbortSignal,
): UntilRoom {
  return async (full, attempt) => {
    if (once && attempt >= retryLimits.attempts) throw full;
    const delayMs = full.details.retryAfterMs ?? retryLimits.diskFullMs;
    reporter.waiting(full.message, delayMs);
    await clock.sleep(delayMs, signal);
  };
}
