/** The time over which a rate is smoothed: short enough to follow, long enough to be read. */
const SMOOTHING_MS = 3_000;

/**
 * How fast a growing number grows, smoothed: an exponentially weighted mean in which what happened 3 s ago counts for
 * about a third. Times are monotonic milliseconds.
 */
export class RateMeter {
  #last: { readonly atMs: number; readonly total: number } | undefined;
  #perSecond: number | undefined;

  /** The number was `total` at `atMs`. */
  record(total: number, atMs: number): void {
    const last = this.#last;
    if (last !== undefined && atMs <= last.atMs) return;
    this.#last = { atMs, total };
    if (last === undefined) return;
    const elapsedMs = atMs - last.atMs;
    const current = (Math.max(0, total - last.total) * 1000) / elapsedMs;
    const weight = 1 - Math.exp(-elapsedMs / SMOOTHING_MS);
    this.#perSecond = this.#perSecond === undefined ? current : this.#perSecond + weight * (current - this.#perSecond);
  }

  /** Per second; 0 until it was told twice. */
  get perSecond(): number {
    return this.#perSecond ?? 0;
  }
}
