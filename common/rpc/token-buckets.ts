/** How fast a bucket refills, and how much it holds. */
export interface BucketSize {
  readonly perSecond: number;
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  readAtMs: number;
}

/**
 * A token bucket for each key. At most `capacity` are remembered, those that were used last; one that is forgotten is full
 * when it comes again.
 */
export class TokenBuckets {
  /** In the order of their last use. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(private readonly capacity: number) {}

  /** Takes a token from the bucket of `key`: 0 where there was one, else the milliseconds until there is. */
  take(key: string, { perSecond, burst }: BucketSize, nowMs: number): number {
    const bucket = this.#buckets.get(key) ?? { tokens: burst, readAtMs: nowMs };
    bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.readAtMs) / 1000) * perSecond);
    bucket.readAtMs = nowMs;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    this.#forgetOldest();
    if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) / perSecond) * 1000);
    bucket.tokens--;
    return 0;
  }

  /** Buckets that are remembered now. */
  get size(): number {
    return this.#buckets.size;
  }

  #forgetOldest(): void {
    if (this.#buckets.size <= this.capacity) return;
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}
