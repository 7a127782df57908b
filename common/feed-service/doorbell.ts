/**
 * Wakes one sleeper. A ring that comes while nobody waits is kept for the next wait, several as one, so nothing is lost
 * between looking and waiting; and a wait costs no listener on a signal, which thousands of sleepers would feel.
 */
export class Doorbell {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Resolves when the bell has rung since the last wait. One waiter at a time. */
  async wait(): Promise<void> {
    if (!this.#rung) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#rung = false;
  }
}
