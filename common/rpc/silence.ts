import { constants, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { rpcLimits } from '../limits.js';
import { endWhenReset } from './reset.js';

export interface Silence {
  /** How much has been heard so far. */
  readonly heard: () => number;
  /** How much more has to be heard from one look to the next. */
  readonly least: number;
  /** Whoever is not heard for so long is lost. */
  readonly limitMs: number;
  readonly end: () => void;
}

/**
 * Calls `end` when the other end of a connection has been silent for too long. Whether a ping is answered in time says less:
 * over a slow line the ping, or its answer, waits behind all that is on its way already. Returns what ends the watch.
 *
 * Silence is counted in looks, so that a machine that was suspended does not take its own absence for the other's.
 */
export function endWhenSilent({ heard, least, limitMs, end }: Silence): () => void {
  let before = heard();
  let silentLooks = 0;
  const timer = setInterval(() => {
    const now = heard();
    silentLooks = now - before < least ? silentLooks + 1 : 0;
    before = now;
    if (silentLooks < rpcLimits.silentLooks) return;
    clearInterval(timer);
    end();
  }, limitMs / rpcLimits.silentLooks);
  timer.unref();
  return () => clearInterval(timer);
}

/**
 * Closes a client's connection when it was reset, or nothing has come over it for `rpcLimits.serverSilenceMs`: servers ping.
 */
export function closeWhenLost(socket: Socket): void {
  // Without an error: the calls over it are then told that the connection is lost, and not that something is wrong here.
  const end = (): void => void socket.destroy();
  const heard = (): number => socket.bytesRead;
  const stopListening = endWhenSilent({ heard, least: 1, limitMs: rpcLimits.serverSilenceMs, end });
  const stopLooking = endWhenReset(() => socket, end);
  socket.once('close', () => {
    stopListening();
    stopLooking();
  });
}

/**
 * Pings a client for as long as its connection lasts, also while earlier pings are unanswered: one that has so much to send
 * that its answers wait shall hear all the same that its server is there. Ends the connection of one that has reset it, or that
 * for `rpcLimits.clientSilenceMs` neither answers nor moves bytes in earnest, in either direction.
 */
export function pingWhileHeard(session: ServerHttp2Session): void {
  const { socket } = session;
  const least = rpcLimits.clientBytesPerLook;
  let answers = 0;
  let moved = 0;
  const ping = setInterval(() => {
    if (!session.destroyed) session.ping((error) => (answers += error === null ? 1 : 0));
  }, rpcLimits.pingIntervalMs);
  ping.unref();
  const end = (): void => session.destroy(undefined, constants.NGHTTP2_CANCEL);
  const stopLooking = endWhenReset(() => (session.destroyed ? undefined : socket), end);
  const stopListening = endWhenSilent({
    heard() {
      if (!session.destroyed) moved = socket.bytesRead + socket.bytesWritten;
      return moved + answers * least;
    },
    least,
    limitMs: rpcLimits.clientSilenceMs,
    end,
  });
  session.once('close', () => {
    clearInterval(ping);
    stopListening();
    stopLooking();
  });
}
