import type { Socket } from 'node:net';
import { rpcLimits } from '../limits.js';

/** What Node.js has below a socket, as far as it is needed here: not documented. */
interface Handled {
  readonly _handle?: { readonly getpeername?: (into: object) => number } | null;
}

/**
 * Calls `end` when the other end has reset a connection. While HTTP/2 over TLS is writing, Node.js 20 and 24 do not notice that: the
 * write that fails is followed by one that never ends, and nothing is read before it has ended. `socket` is undefined once there
 * is none any more. Returns what ends the watch.
 */
export function endWhenReset(socket: () => Socket | undefined, end: () => void): () => void {
  const timer = setInterval(() => {
    const connected = socket();
    if (connected === undefined || !isReset(connected)) return;
    clearInterval(timer);
    end();
  }, rpcLimits.resetLookMs);
  timer.unref();
  return () => clearInterval(timer);
}

/**
 * Whether the system knows no other end of the connection any more. Where it cannot be asked, the answer is no: then the silence
 * is noticed, later (silence.ts).
 */
function isReset(socket: Socket): boolean {
  // The address that the socket itself tells is what it was once, for as long as it is open.
  const handle = (socket as Handled)._handle;
  return typeof handle?.getpeername === 'function' && handle.getpeername({}) !== 0;
}
