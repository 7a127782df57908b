import { EventEmitter } from 'node:events';
import type { ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { rpcLimits } from '../../../../common/limits.js';
import { closeWhenLost, endWhenSilent, pingWhileHeard } from '../../../../common/rpc/silence.js';

const SILENCE_MS = 6_000;
const LOOK_MS = SILENCE_MS / rpcLimits.silentLooks;

function watch(connection: { readonly bytesRead: number }, end: () => void): () => void {
  return endWhenSilent({ heard: () => connection.bytesRead, least: 1, limitMs: SILENCE_MS, end });
}

/** A session of which a test says what comes over it and which pings it answers. */
function sessionOf(ping: (answered: (error: Error | null) => void) => void) {
  const socket = { bytesRead: 0, bytesWritten: 0 };
  const session = Object.assign(new EventEmitter(), { destroyed: false, destroy: vi.fn(), ping: vi.fn(ping), socket });
  pingWhileHeard(session as unknown as ServerHttp2Session);
  return session;
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

it('a connection over which nothing comes is ended, once', () => {
  const end = vi.fn();
  watch({ bytesRead: 7 }, end);
  vi.advanceTimersByTime(SILENCE_MS - 1);
  expect(end).not.toHaveBeenCalled();
  vi.advanceTimersByTime(10 * SILENCE_MS);
  expect(end).toHaveBeenCalledOnce();
});

it('one over which a byte comes now and then is not, whatever else is answered late', () => {
  const end = vi.fn();
  const connection = { bytesRead: 0 };
  watch(connection, end);
  for (let byte = 0; byte < 20; byte++) {
    vi.advanceTimersByTime(SILENCE_MS - LOOK_MS);
    connection.bytesRead++;
  }
  expect(end).not.toHaveBeenCalled();
});

it('a machine that was suspended does not take its own absence for the silence of the other', () => {
  const end = vi.fn();
  watch({ bytesRead: 0 }, end);
  vi.setSystemTime(Date.now() + 100 * SILENCE_MS);
  vi.advanceTimersByTime(LOOK_MS);
  expect(end).not.toHaveBeenCalled();
});

it('a socket is closed without an error: its calls are told that the connection is lost, not that something broke', () => {
  const destroy = vi.fn();
  closeWhenLost(Object.assign(new EventEmitter(), { bytesRead: 0, destroy }) as unknown as Socket);
  vi.advanceTimersByTime(rpcLimits.serverSilenceMs);
  expect(destroy.mock.calls).toEqual([[]]);
});

it('nobody is watched any more when the watch has ended', () => {
  const end = vi.fn();
  watch({ bytesRead: 0 }, end)();
  vi.advanceTimersByTime(10 * SILENCE_MS);
  expect(end).not.toHaveBeenCalled();
});

it('a server pings more often than its clients bear silence, answered or not, and stops when the connection ends', () => {
  const session = sessionOf(() => undefined);
  vi.advanceTimersByTime(rpcLimits.serverSilenceMs);
  expect(session.ping).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(rpcLimits.serverSilenceMs);
  expect(session.ping).toHaveBeenCalledTimes(3);
  session.emit('close');
  vi.advanceTimersByTime(10 * rpcLimits.clientSilenceMs);
  expect(session.ping).toHaveBeenCalledTimes(3);
  expect(session.destroy).not.toHaveBeenCalled();
});

it('a client that answers no ping is cut off, though a byte comes now and then', () => {
  const session = sessionOf(() => session.socket.bytesRead++);
  vi.advanceTimersByTime(2 * rpcLimits.clientSilenceMs);
  expect(session.destroy).toHaveBeenCalledOnce();
});

it('one that answers is not, nor one whose answers wait behind what it sends, or is sent, slowly', () => {
  const answering = sessionOf((answered) => answered(null));
  const sending = sessionOf(() => (sending.socket.bytesRead += 100 * 1024));
  const receiving = sessionOf(() => (receiving.socket.bytesWritten += 100 * 1024));
  vi.advanceTimersByTime(10 * rpcLimits.clientSilenceMs);
  for (const session of [answering, sending, receiving]) expect(session.destroy).not.toHaveBeenCalled();
});
