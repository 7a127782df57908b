import type { EventEmitter } from 'node:events';

/** The writing half of a grpc-js call. */
interface MessageWriter extends EventEmitter {
  write(message: unknown): boolean;
}

/**
 * Writes every message of `source`, as fast as the other side takes them. Returns early, leaving the source, when
 * `signal` aborts: a plain wait for `drain` would hang for ever after a cancellation.
 */
export async function writeAll(
  call: MessageWriter,
  source: AsyncIterable<unknown>,
  signal: AbortSignal,
): Promise<void> {
  for await (const message of source) {
    if (signal.aborted) return;
    if (!call.write(message)) await drained(call, signal);
  }
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
