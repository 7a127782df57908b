/** The time over which a rate is smoothed: short enough to follow, long enough to be read. */
const SMOOTHING_MS = 3_000;
/** A rate that was measured for less than this says nothing. */
const SETTLED_AFTER_MS = 1_000;

/**
 * How fast a growing number grows, smoothed: an exponentially weighted mean in which what happened 3 s ago counts for
 * about a third. The weights are normalised by their sum, so that the beginning counts no more than the rest. Times are
 * monotonic milliseconds.
 */
export class RateMeter {
  #last: { readonly atMs: number; readonly total: number } | undefined;
  #measuredMs = 0;
  #weightedMean = 0;
  #sumOfWeights = 0;

  /** The number was `total` at `atMs`. */
  record(total: number, atMs: number): void {
    const last = this.#last;
    if (last !== undefined && atMs <= last.atMs) return;
    this.#last = { atMs, total };
    if (last === undefined) return;
    const elapsedMs = atMs - last.atMs;
    const current = (Math.max(0, total - last.total) * 1000) / elapsedMs;
    const weight = 1 - Math.exp(-elapsedMs / SMOOTHING_MS);
    this.#weightedMean += weight * (current - this.#weightedMean);
    this.#sumOfWeights += weight * (1 - this.#sumOfWeights);
    this.#measuredMs += elapsedMs;
  }

  /** Per second; 0 until it was measured for a second. */
  get perSecond(): number {
    return this.#measuredMs < SETTLED_AFTER_MS ? 0 : this.#weightedMean / this.#sumOfWeights;
  }
}
