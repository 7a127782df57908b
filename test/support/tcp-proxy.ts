import { once } from 'node:events';
import { createServer, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A network between two programs that a test can make slow, stop or cut. */
export interface TcpProxy {
  /** HOST:PORT at which it listens. */
  readonly address: string;
  /** HOST:PORT to which new connections are passed on; connections are refused while it is undefined. */
  target: string | undefined;
  /** Bytes passed on from clients to the target, and back, since the start. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Bytes a second in each direction of each connection; Infinity for no limit. */
  bytesPerSecond: number;
  /** How long every piece waits before it is passed on. */
  delayMs: number;
  /** Holds back everything, connections included, until {@link resume}. */
  stall(): void;
  resume(): void;
  /** Breaks every open connection with a reset. */
  cut(): void;
  close(): Promise<void>;
}

/** A timer is a millisecond too late as easily as not. */
const SHORTEST_PAUSE_MS = 5;

/** Listens on a free loopback port and passes connections on to `target`. */
export async function startTcpProxy(target?: string): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const gate = createGate();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    track(sockets, client);
    void accept(client);
  });
  const proxy = {
    address: '',
    target,
    bytesUp: 0,
    bytesDown: 0,
    bytesPerSecond: Infinity,
    delayMs: 0,
    stall: gate.close,
    resume: gate.open,
    cut() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      gate.open();
      await closed;
    },
  };

  async function accept(client: Socket): Promise<void> {
    await gate.passed();
    if (proxy.target === undefined || client.destroyed) {
      client.resetAndDestroy();
      return;
    }
    const separator = proxy.target.lastIndexOf(':');
    const upstream = connect({
      host: proxy.target.slice(0, separator),
      port: Number(proxy.target.slice(separator + 1)),
      allowHalfOpen: true,
    });
    track(sockets, upstream);
    client.once('close', () => upstream.destroy());
    upstream.once('close', () => client.destroy());
    void pump(client, upstream, (bytes) => (proxy.bytesUp += bytes));
    void pump(upstream, client, (bytes) => (proxy.bytesDown += bytes));
  }

  async function pump(from: Socket, to: Socket, count: (bytes: number) => void): Promise<void> {
    // What a pause was too long is made up for by the next.
    let owedMs = 0;
    try {
      // The other direction goes on when this one has ended.
      for await (const piece of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        await gate.passed();
        if (proxy.delayMs > 0) await sleep(proxy.delayMs);
        owedMs += (piece.length / proxy.bytesPerSecond) * 1000;
        if (owedMs >= SHORTEST_PAUSE_MS) {
          const began = performance.now();
          await sleep(owedMs);
          owedMs -= performance.now() - began;
        }
        count(piece.length);
        if (to.destroyed) return;
        if (!to.write(piece)) await roomIn(to);
      }
      to.end();
    } catch {
      to.destroy();
    }
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  proxy.address = `127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`;
  return proxy;
}

/** Waits until `socket` has passed on what it was given, or is closed. */
async function roomIn(socket: Socket): Promise<void> {
  const waiting = new AbortController();
  const { signal } = waiting;
  await Promise.race([once(socket, 'drain', { signal }), once(socket, 'close', { signal })]).catch(() => undefined);
  waiting.abort();
}

function track(sockets: Set<Socket>, socket: Socket): void {
  socket.setNoDelay(true);
  sockets.add(socket);
  // Broken connections are what this program is for; the close that follows is what matters.
  socket.on('error', () => undefined);
  socket.once('close', () => sockets.delete(socket));
}

function createGate(): { open: () => void; close: () => void; passed: () => Promise<void> } {
  let opened = Promise.resolve();
  let release: (() => void) | undefined;
  return {
    close() {
      if (release === undefined) opened = new Promise((resolve) => (release = resolve));
    },
    open() {
      release?.();
      release = undefined;
    },
    passed: () => opened,
  };
}
