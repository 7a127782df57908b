import type { EventEmitter } from 'node:events';
import { AbortableWaits } from '../concurrency/abortable-waits.js';

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
  const waits = new AbortableWaits(signal);
  try {
    while (!signal.aborted) {
      const next = await waits.until(iterator.next());
      if (next?.done === true) return;
      if (next !== undefined && !call.write(next.value)) await waits.until(drained(call));
    }
  } finally {
    waits.end();
  }
  await iterator.return?.();
}

function drained(call: EventEmitter): Promise<void> {
  return new Promise((resolve) => call.once('drain', resolve));
}
