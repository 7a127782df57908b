import { DrystoneError } from '../errors.js';

/**
 * Lets operations on a resource through until it is closed, and closes only when the last of them is done: a native
 * store that is used after its close does not fail, it crashes the process.
 */
export class InFlightGate {
  #inFlight = 0;
  #closed: Promise<void> | undefined;
  #lastDone: (() => void) | undefined;

  /** @param what the resource, as errors call it: "the block store". */
  constructor(readonly what: string) {}

  /** Runs `work`, counted. Rejects with UNAVAILABLE (DRAINING) once the gate is closed; then `work` was not begun. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) throw new DrystoneError('UNAVAILABLE', 'DRAINING', `${this.what} is closed`);
    this.#inFlight++;
    try {
      return await work();
    } finally {
      this.#inFlight--;
      if (this.#inFlight === 0) this.#lastDone?.();
    }
  }

  /** Lets nothing in any more, waits for what is in, then runs `release` once. Idempotent: later calls wait with the first. */
  close(release: () => Promise<void>): Promise<void> {
    this.#closed ??= this.#empty().then(release);
    return this.#closed;
  }

  #empty(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#lastDone = resolve));
  }
}
