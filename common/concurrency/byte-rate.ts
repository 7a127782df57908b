import type { Clock } from '../clock.js';
import { peerLimits } from '../limits.js';

/**
 * Bounds how many bytes pass in a second: a token bucket (GCRA) that holds what passes in `peerLimits.rateBurstMs`. Whoever
 * takes more than it holds waits until the bucket has earned it, first come, first served.
 */
export class ByteRate {
  /** When all that was taken will have been earned. */
  #paidAtMs = -Infinity;

  constructor(
    readonly bytesPerSecond: number,
    private readonly clock: Clock,
  ) {}

  /** Resolves when `bytes` may pass. Rejects with what `signal` aborts with; they count as passed all the same. */
  async take(bytes: number, signal?: AbortSignal): Promise<void> {
    const nowMs = this.clock.monotonicMs();
    this.#paidAtMs = Math.max(nowMs, this.#paidAtMs) + (bytes / this.bytesPerSecond) * 1000;
    const waitMs = this.#paidAtMs - nowMs - peerLimits.rateBurstMs;
    if (waitMs > 0) await this.clock.sleep(waitMs, signal);
  }
}
