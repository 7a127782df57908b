import type { Clock } from '../common/clock.js';
import { peerLimits } from '../common/limits.js';

/**
 * `answers`, and `sign` whenever none has come for `peerLimits.signMs`: who waits for one that is long in coming then knows
 * that the other end is alive. Leaving the iteration early leaves that of the answers.
 */
export async function* withSigns<T>(
  answers: AsyncGenerator<T, void, undefined>,
  sign: T,
  clock: Clock,
): AsyncGenerator<T, void, undefined> {
  try {
    for (;;) {
      const next = answers.next();
      while (await isLate(next, clock)) yield sign;
      const answer = await next;
      if (answer.done === true) return;
      yield answer.value;
    }
  } finally {
    // Not waited for: what it is waiting for may not come before the call's signal aborts.
    answers.return().catch(() => undefined);
  }
}

/** Whether `work` has not settled within an interval. */
async function isLate(work: Promise<unknown>, clock: Clock): Promise<boolean> {
  const settled = new AbortController();
  const late = clock.sleep(peerLimits.signMs, settled.signal).then(
    () => true,
    () => false,
  );
  const done = work.then(
    () => false,
    () => false,
  );
  const isOver = await Promise.race([done, late]);
  settled.abort();
  return isOver;
}
