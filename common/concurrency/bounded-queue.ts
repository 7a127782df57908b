import { cancelled } from '../errors.js';

/**
 * A first-in, first-out hand-over between one or more producers and one consumer that iterates. Producers wait while
 * `capacity` values are queued. `end` lets the consumer finish what is queued; `fail` ends both sides with an error.
 * Leaving the iteration early closes the queue: waiting producers are rejected with CANCELLED.
 */
export class BoundedQueue<T> implements AsyncIterable<T> {
  readonly #values: T[] = [];
  #state: 'open' | 'ended' | 'failed' | 'abandoned' = 'open';
  #error: unknown;
  #consumer: (() => void) | undefined;
  #producers: (() => void)[] = [];

  constructor(readonly capacity: number) {}

  /** Values queued now. */
  get length(): number {
    return this.#values.length;
  }

  /** Queues `value`, waiting for room. Rejects with the queue's error, or with CANCELLED where it no longer takes any. */
  async push(value: T): Promise<void> {
    while (this.#state === 'open' && this.#values.length >= this.capacity) {
      await new Promise<void>((resolve) => this.#producers.push(resolve));
    }
    if (this.#state === 'failed') throw this.#error;
    if (this.#state !== 'open') throw cancelled('queueing');
    this.#values.push(value);
    this.#wakeConsumer();
  }

  /** No more values will come. Idempotent. */
  end(): void {
    if (this.#state === 'open') this.#state = 'ended';
    this.#wakeAll();
  }

  /** Ends both sides with `error`; what is queued is dropped. The first error stays. */
  fail(error: unknown): void {
    if (this.#state !== 'open') return;
    this.#state = 'failed';
    this.#error = error;
    this.#values.length = 0;
    this.#wakeAll();
  }

  /**
   * The values queued, at least one and at most `max`, waiting for the first; undefined after the last. Rejects with the
   * queue's error. For a consumer that works on many at a time; only one consumer may wait.
   */
  async takeBatch(max: number): Promise<T[] | undefined> {
    while (this.#values.length === 0) {
      if (this.#state === 'failed') throw this.#error;
      if (this.#state !== 'open') return undefined;
      await new Promise<void>((resolve) => (this.#consumer = resolve));
    }
    const batch = this.#values.splice(0, max);
    this.#wakeProducers();
    return batch;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    try {
      for (;;) {
        const value = this.#values.shift();
        if (value !== undefined) {
          this.#wakeProducers();
          yield value;
        } else if (this.#state === 'failed') {
          throw this.#error;
        } else if (this.#state !== 'open') {
          return;
        } else {
          await new Promise<void>((resolve) => (this.#consumer = resolve));
        }
      }
    } finally {
      if (this.#state === 'open') this.#state = 'abandoned';
      this.#values.length = 0;
      this.#wakeAll();
    }
  }

  #wakeConsumer(): void {
    this.#consumer?.();
    this.#consumer = undefined;
  }

  #wakeProducers(): void {
    const producers = this.#producers;
    this.#producers = [];
    for (const wake of producers) wake();
  }

  #wakeAll(): void {
    this.#wakeConsumer();
    this.#wakeProducers();
  }
}
