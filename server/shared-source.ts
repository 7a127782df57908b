import { AbortableWaits } from '../common/concurrency/abortable-waits.js';

/**
 * A source that is read by one stream after the other, one at a time: what one has asked for and not taken is there for
 * the next.
 */
export class SharedSource<T> {
  readonly #source: AsyncIterator<T, unknown>;
  /** The source's next result, asked for and not taken. */
  #next: Promise<IteratorResult<T, unknown>> | undefined;
  /** Come before everything that the source has left. */
  readonly #returned: T[] = [];

  constructor(source: AsyncIterable<T>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next result; the same again until it is taken. Rejects with the source's error. */
  peek(): Promise<IteratorResult<T, unknown>> {
    if (this.#returned.length > 0) return Promise.resolve({ value: this.#returned[0] as T });
    if (this.#next === undefined) {
      this.#next = this.#source.next();
      // Raised by whoever takes it; nobody may be waiting when it fails.
      this.#next.catch(() => undefined);
    }
    return this.#next;
  }

  /** Takes what {@link peek} has shown. */
  take(): void {
    if (this.#returned.length > 0) this.#returned.shift();
    else this.#next = undefined;
  }

  /** Hands back what was taken: it comes next. */
  putBack(values: readonly T[]): void {
    this.#returned.unshift(...values);
  }

  /** Whether there is nothing left; waits for the source to say so. */
  async isFinished(): Promise<boolean> {
    return (await this.peek()).done === true;
  }

  /** The values from here on, each taken as it is yielded, until `over` aborts or there are no more. */
  async *until(over: AbortSignal): AsyncGenerator<T, void, undefined> {
    const waits = new AbortableWaits(over);
    try {
      for (;;) {
        const next = await waits.until(this.peek());
        if (next === undefined || next.done === true) return;
        this.take();
        yield next.value;
      }
    } finally {
      waits.end();
    }
  }

  /** Closes the source, without waiting for it: one that has nothing to give would keep the caller here. */
  close(): void {
    this.#source.return?.().catch(() => undefined);
  }
}
