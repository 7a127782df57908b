import { overloaded } from '../errors.js';
import { feedLimits } from '../limits.js';

/** Bounds the streams that stay open to wait for changes: subscriptions and watches together. */
export class WatcherLimit {
  #open = 0;

  constructor(readonly capacity: number) {}

  /** Streams that are open now. */
  get openCount(): number {
    return this.#open;
  }

  /** Takes a place; RESOURCE_EXHAUSTED with a retry delay where there is none. Call the result once to give it back. */
  enter(): () => void {
    if (this.#open >= this.capacity) {
      throw overloaded(`${this.capacity} watches are open, no more are taken`, feedLimits.retryAfterMs);
    }
    this.#open++;
    return () => {
      this.#open--;
    };
  }
}
