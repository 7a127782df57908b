import type { ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { rpcLimits } from '../limits.js';

/**
 * Calls `end` when nothing has come over a connection for `silenceMs`. Whether a ping is answered in time says less: over a
 * slow line the ping, or its answer, waits behind all that is on its way already. Returns what ends the watch.
 *
 * Silence is counted in looks, so that a machine that was suspended does not take its own absence for the other's.
 */
export function endWhenSilent(
  connection: { readonly bytesRead: number },
  silenceMs: number,
  end: () => void,
): () => void {
  let heard = connection.bytesRead;
  let silentLooks = 0;
  const timer = setInterval(() => {
    const { bytesRead } = connection;
    silentLooks = bytesRead === heard ? silentLooks + 1 : 0;
    heard = bytesRead;
    if (silentLooks < rpcLimits.silentLooks) return;
    clearInterval(timer);
    end();
  }, silenceMs / rpcLimits.silentLooks);
  timer.unref();
  return () => clearInterval(timer);
}

/** {@link endWhenSilent} for a socket, until it closes. */
export function closeWhenSilent(socket: Socket, silenceMs: number): void {
  // Without an error: the calls over it are then told that the connection is lost, and not that something is wrong here.
  const stop = endWhenSilent(socket, silenceMs, () => socket.destroy());
  socket.once('close', stop);
}

/**
 * Sends pings for as long as a connection lasts, also while earlier ones are unanswered: a client that has so much to send
 * that its answers wait shall hear all the same that its server is there.
 */
export function pingRegularly(session: ServerHttp2Session): void {
  const timer = setInterval(() => {
    if (!session.destroyed) session.ping(() => undefined);
  }, rpcLimits.pingIntervalMs);
  timer.unref();
  session.once('close', () => clearInterval(timer));
}
