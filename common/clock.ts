import { setTimeout as delay } from 'node:timers/promises';

/** Time, handed in so that a test can own it. */
export interface Clock {
  /** Milliseconds since 1970 UTC. May jump. */
  nowMs(): number;
  /** Milliseconds from some fixed point; never goes back. For durations. */
  monotonicMs(): number;
  /** Resolves after `durationMs`; rejects with an AbortError when `signal` aborts first. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (durationMs, signal) => delay(durationMs, undefined, signal === undefined ? {} : { signal }),
};
