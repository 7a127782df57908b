import { cancelled } from '../../common/errors.js';
import { clientLimits } from '../../common/limits.js';
import type { Clock } from '../../common/clock.js';

/**
 * Runs a computation that yields between its steps, and lets others have the thread whenever
 * `clientLimits.scanSliceMs` are over. Raises CANCELLED when `signal` aborts.
 */
export async function inSlices<Result>(
  steps: Generator<undefined, Result>,
  clock: Clock,
  signal: AbortSignal,
): Promise<Result> {
  let sliceStartMs = clock.monotonicMs();
  for (;;) {
    if (signal.aborted) throw cancelled('the scan');
    const step = steps.next();
    if (step.done === true) return step.value;
    if (clock.monotonicMs() - sliceStartMs < clientLimits.scanSliceMs) continue;
    await new Promise((resolve) => setImmediate(resolve));
    sliceStartMs = clock.monotonicMs();
  }
}
