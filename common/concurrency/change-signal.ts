/**
 * Says that something has changed, not what. A waiter is armed before the state is read, so a change between the reading
 * and the waiting is never lost:
 *
 *     const changed = signal.arm();
 *     const state = await read();
 *     if (nothing to do) await changed;
 */
export class ChangeSignal {
  #waiters = new Set<() => void>();

  /** How many wait now. */
  get waiterCount(): number {
    return this.#waiters.size;
  }

  /** A promise that resolves at the next {@link notify}, or when `signal` aborts. It never rejects. */
  arm(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const wake = (): void => {
        signal?.removeEventListener('abort', wake);
        this.#waiters.delete(wake);
        resolve();
      };
      signal?.addEventListener('abort', wake, { once: true });
      this.#waiters.add(wake);
    });
  }

  /** Wakes everyone armed before now. */
  notify(): void {
    const waiters = this.#waiters;
    this.#waiters = new Set();
    for (const wake of waiters) wake();
  }
}
