/** Messages that have arrived for one reader, and word that no more will come. */
export class Mailbox {
  readonly #arrived: Buffer[] = [];
  #isClosed = false;
  #wake: (() => void) | undefined;

  /** @param onTaken called whenever the reader has taken a message */
  constructor(private readonly onTaken: () => void) {}

  put(message: Buffer): void {
    if (this.#isClosed) return;
    this.#arrived.push(message);
    this.#wake?.();
  }

  /** Nothing more will come; what has arrived is still read. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#wake?.();
  }

  async *messages(): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      const message = this.#arrived.shift();
      if (message !== undefined) {
        this.onTaken();
        yield message;
      } else if (this.#isClosed) {
        return;
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        this.#wake = undefined;
      }
    }
  }
}
