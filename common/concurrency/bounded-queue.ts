import { cancelled } from '../errors.js';

interface Producer {
  readonly admit: () => void;
  readonly refuse: () => void;
}

/**
 * A first-in, first-out hand-over between one or more producers and one consumer that iterates. Producers wait, in their
 * order, while `capacity` values are queued. `end` lets the consumer finish what is queued; `fail` ends both sides with an
 * error. Leaving the iteration early closes the queue: waiting producers are rejected with CANCELLED.
 */
export class BoundedQueue<T> implements AsyncIterable<T> {
  readonly #values: T[] = [];
  readonly #producers: Producer[] = [];
  #state: 'open' | 'ended' | 'failed' | 'abandoned' = 'open';
  #error: unknown;
  #wakeConsumer: (() => void) | undefined;

  constructor(readonly capacity: number) {}

  /** Values queued now. */
  get length(): number {
    return this.#values.length;
  }

  /** Queues `value`, waiting for room. Rejects with the queue's error, or with CANCELLED where it no longer takes any. */
  async push(value: T): Promise<void> {
    if (this.#state !== 'open') throw this.#refusal();
    if (this.#values.length < this.capacity) {
      this.#values.push(value);
      this.#wakeConsumer?.();
      return;
    }
    await new Promise<void>((resolve, reject) => {
      this.#producers.push({
        admit: () => {
          this.#values.push(value);
          resolve();
        },
        refuse: () => reject(this.#refusal()),
      });
    });
  }

  /** No more values will come; producers that wait are rejected with CANCELLED. Idempotent. */
  end(): void {
    if (this.#state === 'open') this.#close('ended');
  }

  /** Ends both sides with `error`; what is queued is dropped. The first error stays; after the consumer's end it is none. */
  fail(error: unknown): void {
    if (this.#state === 'failed' || this.#state === 'abandoned') return;
    this.#error = error;
    this.#values.length = 0;
    this.#close('failed');
  }

  /**
   * The values queued, at least one and at most `max`, waiting for the first; undefined after the last. Rejects with the
   * queue's error. For a consumer that works on many at a time; only one consumer may wait.
   */
  async takeBatch(max: number): Promise<T[] | undefined> {
    for (;;) {
      if (this.#state === 'failed') throw this.#error;
      if (this.#values.length > 0) {
        const batch = this.#values.splice(0, max);
        for (const producer of this.#producers.splice(0, batch.length)) producer.admit();
        return batch;
      }
      if (this.#state !== 'open') return undefined;
      await new Promise<void>((resolve) => (this.#wakeConsumer = resolve));
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    try {
      for (let next = await this.takeBatch(1); next !== undefined; next = await this.takeBatch(1)) yield* next;
    } finally {
      this.#values.length = 0;
      if (this.#state !== 'failed') this.#close('abandoned');
    }
  }

  #close(state: 'ended' | 'failed' | 'abandoned'): void {
    this.#state = state;
    for (const producer of this.#producers.splice(0)) producer.refuse();
    this.#wakeConsumer?.();
  }

  #refusal(): Error {
    return this.#state === 'failed' && this.#error instanceof Error ? this.#error : cancelled('queueing');
  }
}
