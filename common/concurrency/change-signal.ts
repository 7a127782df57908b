interface Waiter {
  readonly changed: Promise<void>;
  readonly wake: () => void;
}

/**
 * Says that something has changed, not what. A waiter is armed before the state is read, so a change between the reading
 * and the waiting is never lost:
 *
 *     const changed = signal.arm();
 *     const state = await read();
 *     if (nothing to do) await changed;
 *
 * Arming again before the next change gives the same promise, so a loop that has much to read and seldom waits leaves
 * nothing behind.
 */
export class ChangeSignal {
  /** By the abort signal for which they were armed. */
  #waiters = new Map<AbortSignal | undefined, Waiter>();

  /** How many abort signals wait now; all who wait without one count as one. */
  get waiterCount(): number {
    return this.#waiters.size;
  }

  /** A promise that resolves at the next {@link notify}, or when `signal` aborts. It never rejects. */
  arm(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    const armed = this.#waiters.get(signal);
    if (armed !== undefined) return armed.changed;
    let wake = (): void => undefined;
    const changed = new Promise<void>((resolve) => {
      wake = () => {
        signal?.removeEventListener('abort', wake);
        this.#waiters.delete(signal);
        resolve();
      };
    });
    signal?.addEventListener('abort', wake, { once: true });
    this.#waiters.set(signal, { changed, wake });
    return changed;
  }

  /** Wakes everyone armed before now. */
  notify(): void {
    const waiters = this.#waiters;
    this.#waiters = new Map();
    for (const { wake } of waiters.values()) wake();
  }
}
