import { AbortableWaits } from '../../../common/concurrency/abortable-waits.js';
import { ChangeSignal } from '../../../common/concurrency/change-signal.js';
import { rpcLimits } from '../../../common/limits.js';
import { LateMessage } from '../../../common/rpc/late-message.js';

/** Messages of one call in one direction that may be on their way before the sender has to wait. */
const WINDOW = 2 * rpcLimits.messagesQueued;

/** One direction of a call: sends what a source gives, as fast as the reader at the other end takes it. */
export class Passage {
  #underWay = 0;
  readonly #taken = new ChangeSignal();

  constructor(private readonly send: (message: Buffer) => void) {}

  /** The reader has taken a message. */
  taken(): void {
    this.#underWay--;
    this.#taken.notify();
  }

  /** Sends all messages, until `signal` aborts. Raises what the source raises; the source is closed in any case. */
  async pass(
    source: AsyncIterable<unknown>,
    serialize: (value: never) => Buffer | LateMessage,
    signal: AbortSignal,
  ): Promise<void> {
    const iterator = source[Symbol.asyncIterator]();
    const waits = new AbortableWaits(signal);
    try {
      while (!signal.aborted) {
        const next = await waits.until(iterator.next());
        if (next?.done === true) return;
        if (next === undefined) break;
        this.#underWay++;
        this.send(bytesOf(serialize(next.value as never)));
        await this.#room(signal);
      }
    } finally {
      waits.end();
    }
    await iterator.return?.();
  }

  async #room(signal: AbortSignal): Promise<void> {
    while (this.#underWay >= WINDOW && !signal.aborted) await this.#taken.arm(signal);
  }
}

/** A message as it travels: nothing of it is shared with the sender. */
export function bytesOf(message: Buffer | LateMessage): Buffer {
  if (!(message instanceof LateMessage)) return Buffer.from(message);
  const frame = Buffer.alloc(message.length);
  message.copy(frame);
  return frame;
}
