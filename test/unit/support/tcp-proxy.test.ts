import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js';
import { waitUntil } from '../../support/wait-until.js';

let echo: Server;
let proxy: TcpProxy;

beforeEach(async () => {
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const address = echo.address();
  proxy = await startTcpProxy(`127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`);
});

afterEach(async () => {
  await proxy.close();
  echo.close();
});

function open(): Socket {
  const socket = connect({ port: Number(proxy.address.split(':')[1]), host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  return socket;
}

/** Unlike `once`, it takes a reset for an end. */
function whenClosed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

test('passes bytes on both ways and counts them', async () => {
  const socket = open();
  socket.end('hello');
  expect(await text(socket)).toBe('hello');
  expect([proxy.bytesUp, proxy.bytesDown]).toEqual([5, 5]);
});

test('holds everything back while stalled', async () => {
  const socket = open();
  await once(socket, 'connect');
  proxy.stall();
  socket.end('hello');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(proxy.bytesDown).toBe(0);
  proxy.resume();
  expect(await text(socket)).toBe('hello');
});

test('cuts open connections and takes new ones', async () => {
  const socket = open();
  socket.write('hello');
  await waitUntil('the bytes are back', () => proxy.bytesDown === 5);
  const closed = whenClosed(socket);
  proxy.cut();
  await closed;
  const again = open();
  again.end('again');
  expect(await text(again)).toBe('again');
});

test('refuses connections while it has no target', async () => {
  proxy.target = undefined;
  const socket = open();
  await whenClosed(socket);
  expect(proxy.bytesUp).toBe(0);
});
