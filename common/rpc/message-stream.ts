import type { EventEmitter } from 'node:events';
import { untilAborted } from '../concurrency/until-aborted.js';

/** The writing half of a grpc-js call. */
interface MessageWriter extends EventEmitter {
  write(message: unknown): boolean;
}

/**
 * Writes every message of `source`, as fast as the other side takes them. When `signal` aborts it stops, closes the
 * source, and resolves once the source has ended: a plain wait for the next message, or for `drain`, would hang for ever
 * after a cancellation. Raises what the source raises.
 */
export async function writeAll(
  call: MessageWriter,
  source: AsyncIterable<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const iterator = source[Symbol.asyncIterator]();
  while (!signal.aborted) {
    const next = await untilAborted(iterator.next(), signal);
    if (next?.done === true) return;
    if (next !== undefined && !call.write(next.value)) await drained(call, signal);
  }
  await iterator.return?.();
}

function drained(call: EventEmitter, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      call.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    call.on('drain', done);
    signal.addEventListener('abort', done);
  });
}

/** The reading half of a grpc-js call. */
interface MessageReader {
  iterator(options: { destroyOnReturn: boolean }): AsyncIterator<unknown>;
}

/**
 * The messages that arrive on `call`, until the other side half-closes or `signal` aborts; which of both it was the
 * signal tells. Leaving early leaves the call as it is. Raises what the call raises.
 */
export async function* readAll(call: MessageReader, signal: AbortSignal): AsyncGenerator<unknown, void, undefined> {
  const iterator = call.iterator({ destroyOnReturn: false });
  for (;;) {
    const next = await untilAborted(iterator.next(), signal);
    if (next === undefined || next.done === true) return;
    yield next.value;
  }
}
