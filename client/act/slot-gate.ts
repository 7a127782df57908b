import { ChangeSignal } from '../../common/concurrency/change-signal.js';

/** Lets a number of requests be under way at once. */
export class SlotGate {
  #taken = 0;
  readonly #freed = new ChangeSignal();

  constructor(readonly slots: number) {}

  /** Takes a slot, waiting for one. */
  async enter(): Promise<void> {
    while (this.#taken >= this.slots) await this.#freed.arm();
    this.#taken++;
  }

  /** Gives a slot back. */
  leave(): void {
    this.#taken--;
    this.#freed.notify();
  }
}
