/**
 * When a change was made: a clock's reading, and a number that goes on counting where the clock stands still or lags behind
 * that of another. A change that replaces another has a later time, whatever the clocks say. After Kulkarni and others,
 * "Logical Physical Clocks", 2014.
 */
export interface HybridTime {
  /** Milliseconds since 1970 UTC, at most {@link WALL_MAX_MS}. */
  readonly wallMs: number;
  /** At most {@link LOGICAL_MAX}. */
  readonly logical: number;
}

/** The last moment that has a date. */
export const WALL_MAX_MS = 8_640_000_000_000_000;

/** What a uint32 holds. */
export const LOGICAL_MAX = 2 ** 32 - 1;

/** Before any change. */
export const TIME_START: HybridTime = { wallMs: 0, logical: 0 };

/** Negative where `a` is the earlier one, positive where it is the later one, 0 where they are equal. */
export function compareTimes(a: HybridTime, b: HybridTime): number {
  return a.wallMs - b.wallMs || a.logical - b.logical;
}

/** The later of two. */
export function laterTime(a: HybridTime, b: HybridTime): HybridTime {
  return compareTimes(a, b) < 0 ? b : a;
}

/** The time of a change made at `nowMs` that replaces one made at `latest`: later than that. */
export function nextTime(latest: HybridTime, nowMs: number): HybridTime {
  if (nowMs > latest.wallMs) return { wallMs: nowMs, logical: 0 };
  if (latest.logical < LOGICAL_MAX) return { wallMs: latest.wallMs, logical: latest.logical + 1 };
  return { wallMs: latest.wallMs + 1, logical: 0 };
}
