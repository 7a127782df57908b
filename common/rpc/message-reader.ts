/** The reading half of a grpc-js call: `_read` asks for one message, which `push` then hands over, or null at the end. */
interface MessageSource {
  push(message: unknown): boolean;
  _read(size: number): void;
}

/**
 * Takes messages straight from a grpc-js call, reading up to `capacity` ahead of its one consumer. Node's own stream
 * buffer, which this replaces, is a linked list through which V8 keeps large messages alive into its old generation: they
 * would move at half the speed.
 */
export class MessageReader {
  readonly #queue: unknown[] = [];
  #asked = false;
  #ended = false;
  #wake: (() => void) | undefined;

  /** The call must not have been read before, nor be read otherwise. */
  constructor(
    private readonly source: MessageSource,
    private readonly capacity: number,
  ) {
    source.push = (message) => {
      this.#asked = false;
      if (message === null) this.end();
      else this.#queue.push(message);
      this.#wake?.();
      this.#readAhead();
      return true;
    };
  }

  /** Nothing more will come; what is queued is still handed out. Idempotent. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** The messages in order, until the end. */
  async *messages(): AsyncGenerator<unknown, void, undefined> {
    for (;;) {
      if (this.#queue.length > 0) {
        const message = this.#queue.shift();
        this.#readAhead();
        yield message;
      } else if (this.#ended) {
        return;
      } else {
        this.#readAhead();
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }

  #readAhead(): void {
    if (this.#asked || this.#ended || this.#queue.length >= this.capacity) return;
    this.#asked = true;
    this.source._read(0);
  }
}
