/** How fast a bucket refills, and how much it holds. */
export interface BucketSize {
  readonly perSecond: number;
  readonly burst: number;
}

/**
 * A token bucket for each key. At most `capacity` are remembered, those that were asked for last; one that is forgotten is
 * full when it comes again.
 */
export class TokenBuckets {
  /** When each bucket will be full again (GCRA, which needs no more), in the order in which they were asked for. */
  readonly #fullAtMs = new Map<string, number>();

  constructor(private readonly capacity: number) {}

  /** Takes a token from the bucket of `key`: 0 where there was one, else the milliseconds until there is. */
  take(key: string, { perSecond, burst }: BucketSize, nowMs: number): number {
    const tokenMs = 1000 / perSecond;
    const fullAtMs = Math.max(nowMs, this.#fullAtMs.get(key) ?? nowMs);
    const waitMs = Math.max(0, Math.ceil(fullAtMs - nowMs - (burst - 1) * tokenMs));
    this.#fullAtMs.delete(key);
    this.#fullAtMs.set(key, waitMs === 0 ? fullAtMs + tokenMs : fullAtMs);
    this.#forgetOldest();
    return waitMs;
  }

  #forgetOldest(): void {
    if (this.#fullAtMs.size <= this.capacity) return;
    const [oldest] = this.#fullAtMs.keys();
    if (oldest !== undefined) this.#fullAtMs.delete(oldest);
  }
}
