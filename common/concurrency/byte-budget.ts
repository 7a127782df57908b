import { cancelled } from '../errors.js';

interface Waiter {
  readonly bytes: number;
  readonly grant: () => void;
}

/**
 * Bounds the bytes that are under way: whoever wants to put more in flight waits for its share, first come, first served.
 * A request larger than the whole budget is granted when nothing else is in flight, so one big block never starves.
 */
export class ByteBudget {
  #used = 0;
  readonly #waiters: Waiter[] = [];

  constructor(readonly capacityBytes: number) {}

  /** Bytes taken and not yet given back. */
  get usedBytes(): number {
    return this.#used;
  }

  /** Takes `bytes`, waiting until they fit. Rejects with CANCELLED when `signal` aborts first; then nothing was taken. */
  async take(bytes: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) throw cancelled('waiting for transfer budget');
    if (this.#waiters.length === 0 && this.#fits(bytes)) {
      this.#used += bytes;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const waiter: Waiter = {
        bytes,
        grant: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      const onAbort = (): void => {
        const index = this.#waiters.indexOf(waiter);
        if (index >= 0) this.#waiters.splice(index, 1);
        reject(cancelled('waiting for transfer budget'));
        this.#grantWaiters();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiters.push(waiter);
    });
  }

  /** Takes `bytes` if they fit at once and nobody waits. */
  tryTake(bytes: number): boolean {
    if (this.#waiters.length > 0 || !this.#fits(bytes)) return false;
    this.#used += bytes;
    return true;
  }

  /** Gives `bytes` back. */
  give(bytes: number): void {
    this.#used -= bytes;
    this.#grantWaiters();
  }

  #fits(bytes: number): boolean {
    return this.#used === 0 || this.#used + bytes <= this.capacityBytes;
  }

  #grantWaiters(): void {
    for (let next = this.#waiters[0]; next !== undefined && this.#fits(next.bytes); next = this.#waiters[0]) {
      this.#waiters.shift();
      this.#used += next.bytes;
      next.grant();
    }
  }
}
