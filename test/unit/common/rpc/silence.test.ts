import { EventEmitter } from 'node:events';
import type { ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { rpcLimits } from '../../../../common/limits.js';
import { closeWhenSilent, endWhenSilent, pingRegularly } from '../../../../common/rpc/silence.js';

const SILENCE_MS = 6_000;
const LOOK_MS = SILENCE_MS / rpcLimits.silentLooks;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

it('a connection over which nothing comes is ended, once', () => {
  const end = vi.fn();
  endWhenSilent({ bytesRead: 7 }, SILENCE_MS, end);
  vi.advanceTimersByTime(SILENCE_MS - 1);
  expect(end).not.toHaveBeenCalled();
  vi.advanceTimersByTime(10 * SILENCE_MS);
  expect(end).toHaveBeenCalledOnce();
});

it('one over which a byte comes now and then is not, whatever else is answered late', () => {
  const end = vi.fn();
  const connection = { bytesRead: 0 };
  endWhenSilent(connection, SILENCE_MS, end);
  for (let byte = 0; byte < 20; byte++) {
    vi.advanceTimersByTime(SILENCE_MS - LOOK_MS);
    connection.bytesRead++;
  }
  expect(end).not.toHaveBeenCalled();
});

it('a machine that was suspended does not take its own absence for the silence of the other', () => {
  const end = vi.fn();
  endWhenSilent({ bytesRead: 0 }, SILENCE_MS, end);
  vi.setSystemTime(Date.now() + 100 * SILENCE_MS);
  vi.advanceTimersByTime(LOOK_MS);
  expect(end).not.toHaveBeenCalled();
});

it('a socket is closed without an error: its calls are told that the connection is lost, not that something broke', () => {
  const destroy = vi.fn();
  closeWhenSilent(Object.assign(new EventEmitter(), { bytesRead: 0, destroy }) as unknown as Socket, SILENCE_MS);
  vi.advanceTimersByTime(SILENCE_MS);
  expect(destroy.mock.calls).toEqual([[]]);
});

it('nobody is watched any more when the watch has ended', () => {
  const end = vi.fn();
  endWhenSilent({ bytesRead: 0 }, SILENCE_MS, end)();
  vi.advanceTimersByTime(10 * SILENCE_MS);
  expect(end).not.toHaveBeenCalled();
});

it('a server pings more often than its clients bear silence, answered or not, and stops when the connection ends', () => {
  const ping = vi.fn();
  const session = Object.assign(new EventEmitter(), { destroyed: false, ping });
  pingRegularly(session as unknown as ServerHttp2Session);
  vi.advanceTimersByTime(rpcLimits.serverSilenceMs);
  expect(ping).toHaveBeenCalled();
  vi.advanceTimersByTime(rpcLimits.serverSilenceMs);
  const pings = ping.mock.calls.length;
  expect(pings).toBeGreaterThan(1);
  session.emit('close');
  vi.advanceTimersByTime(10 * rpcLimits.pingIntervalMs);
  expect(ping).toHaveBeenCalledTimes(pings);
});
