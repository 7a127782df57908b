import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { HeldIdentity } from '../../../../common/identity/held-identity.js';
import { parseHostPort } from '../../../../common/address.js';
import { loadLimits } from '../../../../common/limits.js';
import type { ConnectionLimits } from '../../../../common/rpc/connection-limits.js';
import { quietFor } from '../../../support/async-tools.js';
import { TestAuthority } from '../../../support/trust/test-authority.js';
import { TlsServerUnderTest } from '../../../support/trust/tls-server.js';
import { waitUntil } from '../../../support/wait-until.js';

let authority: TestAuthority;
beforeAll(async () => {
  authority = await TestAuthority.create();
});

let server: TlsServerUnderTest;
async function start(limits: Partial<ConnectionLimits>): Promise<void> {
  server = await TlsServerUnderTest.start(authority, {
    connectionLimits: { ...loadLimits, ...limits },
    audience: 'anyone',
  });
}
afterEach(() => server.close());

const bytes = (text: string): Buffer => Buffer.from(text);

/** A connection over which nothing is said, not even the greeting of TLS. */
async function silent(localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connectTcp({ ...parseHostPort('address', server.server.address), localAddress });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** A connection that ends with the handshake. */
async function handshaken(held?: HeldIdentity) {
  const { certificateChain: cert } = held?.credential ?? {};
  const key = held?.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const socket = connectTls({
    ...parseHostPort('address', server.server.address),
    ca: authority.ca.trustedPem,
    ALPNProtocols: ['h2'],
    checkServerIdentity: () => undefined,
    ...(cert === undefined ? {} : { cert, key }),
  });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

const isOpen = (socket: Socket): boolean => !socket.destroyed && socket.readyState === 'open';

/** The first of connections that are refused is closed by the server. */
const closed = (socket: Socket): Promise<unknown> => {
  socket.resume();
  return waitUntil('the server closes the connection', () => socket.destroyed);
};

describe('connections without a certificate', () => {
  it('are bounded for each address, whether they have shaken hands or not, and leave other addresses theirs', async () => {
    await start({ anonymousConnectionsPerAddress: 3 });
    const quiet = [await silent(), await silent(), await handshaken()];
    await closed(await silent());
    const elsewhere = await silent('127.0.0.2');
    await quietFor(100);
    expect([...quiet, elsewhere].map(isOpen)).toEqual([true, true, true, true]);
    quiet[0]?.destroy();
    const calls = server.callsOf(await authority.device());
    expect(String(await calls.ask(bytes('hello')))).toBe('hello');
  });

  it('give their place back once they have shown one', async () => {
    await start({ anonymousConnectionsPerAddress: 1 });
    const sockets = [];
    for (let at = 0; at < 5; at++) {
      const socket = await handshaken(await authority.device());
      sockets.push(socket);
      await waitUntil('the server knows who it is', async () => {
        return (await server.metric('drystone_rpc_handshakes_total', { result: 'ok' })) === at + 1;
      });
    }
    expect(sockets.map(isOpen)).toEqual([true, true, true, true, true]);
    expect(await server.metric('drystone_rpc_connections')).toBe(5);
  });

  it('are ended after their time; those with one go on', async () => {
    await start({ anonymousConnectionMs: 300 });
    const known = await handshaken(await authority.device());
    await closed(await handshaken());
    expect(isOpen(known)).toBe(true);
  });
});

describe('connections of one identity', () => {
  it('are bounded, and leave others theirs', async () => {
    await start({ connectionsPerIdentity: 2 });
    const [ana, ben] = [await authority.device('ana'), await authority.device('ben')];
    const two = [await handshaken(ana), await handshaken(ana)];
    await waitUntil('the server knows who they are', async () => {
      return (await server.metric('drystone_rpc_handshakes_total', { result: 'ok' })) === 2;
    });
    await closed(await handshaken(ana));
    const other = await handshaken(ben);
    await quietFor(100);
    expect([...two, other].map(isOpen)).toEqual([true, true, true]);
    expect(await server.metric('drystone_rpc_handshakes_total', { result: 'failed' })).toBe(1);
    two[0]?.destroy();
    await waitUntil('its place is free', async () => (await server.metric('drystone_rpc_connections')) === 2);
    const calls = server.callsOf(ana);
    expect(String(await calls.ask(bytes('hello')))).toBe('hello');
  });
});

describe('all connections', () => {
  it('are bounded', async () => {
    await start({ connections: 2 });
    const two = [await silent(), await handshaken()];
    await closed(await silent());
    expect(two.map(isOpen)).toEqual([true, true]);
  });

  it('are counted, and what became of their handshakes', async () => {
    await start({});
    const socket = await silent();
    socket.end('GET / HTTP/1.1\r\n\r\n');
    await waitUntil('the handshake has failed', async () => {
      return (await server.metric('drystone_rpc_handshakes_total', { result: 'failed' })) === 1;
    });
    await waitUntil('the connection is gone', async () => (await server.metric('drystone_rpc_connections')) === 0);
    const held = await handshaken(await authority.agent());
    await waitUntil('it is counted', async () => (await server.metric('drystone_rpc_connections')) === 1);
    held.destroy();
    await waitUntil('it is gone', async () => (await server.metric('drystone_rpc_connections')) === 0);
    for (const result of ['no_certificate', 'untrusted', 'expired']) {
      expect(await server.metric('drystone_rpc_handshakes_total', { result })).toBe(0);
    }
  });
});

describe('a connection whose certificate ends', () => {
  it('is retired: its streams go on, and the calls after that use a new connection', async () => {
    server = await TlsServerUnderTest.start(authority, {
      implementation: {
        async *chat(requests) {
          for await (const request of requests) yield request;
        },
      },
    });
    // Certificates count in whole seconds.
    const device = await authority.device('ana', { fromMs: -60_000, untilMs: 2_000 });
    const calls = server.callsOf(device);
    let say: (text: string) => void = () => undefined;
    async function* requests() {
      for (;;) yield bytes(await new Promise<string>((resolve) => (say = resolve)));
    }
    const chat = calls.chat(requests());
    const first = chat.next();
    await waitUntil('the stream is open', async () => (await server.metric('drystone_rpc_open_calls')) === 1);
    say('one');
    expect(String((await first).value)).toBe('one');
    await waitUntil('the certificate has ended', () => Date.now() > device.credential.expiresAtMs + 100);
    device.replace((await authority.hold(device.identity, device.privateKey)).credential);
    for (let call = 0; call < 3; call++) expect(String(await calls.ask(bytes('hello')))).toBe('hello');
    await waitUntil('there is a new connection', async () => {
      return (await server.metric('drystone_rpc_handshakes_total', { result: 'ok' })) === 2;
    });
    const second = chat.next();
    await new Promise((resolve) => setImmediate(resolve));
    say('two');
    expect(String((await second).value)).toBe('two');
    await chat.return();
  });
});
