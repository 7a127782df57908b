import { connect } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseHostPort } from '../../../../common/address.js';
import { credentialOf, type HeldIdentity } from '../../../../common/identity/held-identity.js';
import { TestAuthority } from '../../../support/trust/test-authority.js';
import { TlsServerUnderTest } from '../../../support/trust/tls-server.js';
import { waitUntil } from '../../../support/wait-until.js';

let authority: TestAuthority;
beforeAll(async () => {
  authority = await TestAuthority.create();
});

let server: TlsServerUnderTest;
afterEach(() => server.close());

const bytes = (text: string): Buffer => Buffer.from(text);
const renew = async (held: HeldIdentity) =>
  held.replace((await authority.hold(held.identity, held.privateKey)).credential);

/** The serial number of the certificate that the server shows to a new connection. */
function shownSerial(): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      {
        ...parseHostPort('address', server.server.address),
        ca: authority.ca.trustedPem,
        ALPNProtocols: ['h2'],
        checkServerIdentity: () => undefined,
      },
      () => {
        resolve(socket.getPeerCertificate().serialNumber);
        socket.destroy();
      },
    );
    socket.on('error', reject);
  });
}

const echo = {
  async *chat(requests: AsyncIterable<Buffer>) {
    for await (const request of requests) yield request;
  },
};

describe('the certificates of both ends', () => {
  it('are replaced under load without a call that fails, or a stream that ends', async () => {
    server = await TlsServerUnderTest.start(authority, { implementation: echo });
    const client = await authority.device();
    const calls = server.callsOf(client);
    let isOver = false;
    let answered = 0;
    /** Asks, over the one old connection or over a new one each time, until it is over. */
    async function keepAsking(anew: boolean): Promise<void> {
      while (!isOver) {
        const channel = anew ? server.channelOf(client) : undefined;
        const asked = channel === undefined ? calls : server.callsOf(client);
        await asked.ask(bytes('hello'));
        answered++;
        channel?.close();
      }
    }
    async function* endlessly() {
      for (let count = 0; !isOver; count++) {
        yield bytes(`${count}`);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
    let streamed = 0;
    const stream = (async () => {
      for await (const response of calls.chat(endlessly())) expect(String(response)).toBe(`${streamed++}`);
    })();
    const asking = [keepAsking(false), keepAsking(true)];
    const serials = new Set<string>();
    for (let round = 0; round < 10; round++) {
      const [answeredBefore, streamedBefore] = [answered, streamed];
      await Promise.all([renew(server.held), renew(client)]);
      serials.add(await shownSerial());
      await waitUntil('calls and messages go on', () => answered > answeredBefore + 5 && streamed > streamedBefore + 5);
    }
    isOver = true;
    await Promise.all([stream, ...asking]);
    expect(serials.size).toBe(10);
    expect(await server.metric('drystone_rpc_handshakes_total', { result: 'untrusted' })).toBe(0);
  });

  it('may come from a new CA, while both are trusted', async () => {
    const next = await TestAuthority.create();
    const both = authority.ca.trustedPem + next.ca.trustedPem;
    server = await TlsServerUnderTest.start(authority);
    const client = await authority.device();
    const other = await authority.device();
    const move = async (held: HeldIdentity, to: TestAuthority): Promise<void> =>
      held.replace(credentialOf(await to.certify(held.identity, held.privateKey), both));
    for (const held of [server.held, client, other]) await move(held, authority);
    await move(client, next);
    expect(String(await server.callsOf(client).ask(bytes('a client that has moved')))).toBe('a client that has moved');
    await move(server.held, next);
    for (const held of [client, other]) {
      expect(String(await server.callsOf(held).ask(bytes('a server that has moved')))).toBe('a server that has moved');
    }
  });
});

describe('a server', () => {
  it('agrees to nothing older than TLS 1.3, neither before its certificate is replaced nor after', async () => {
    server = await TlsServerUnderTest.start(authority);
    const address = parseHostPort('address', server.server.address);
    const refusal = (): Promise<NodeJS.ErrnoException> =>
      new Promise((resolve, reject) => {
        const socket = connect({ ...address, maxVersion: 'TLSv1.2', rejectUnauthorized: false }, () =>
          reject(new Error('it agreed')),
        );
        socket.once('error', resolve);
      });
    expect((await refusal()).code).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    await renew(server.held);
    expect((await refusal()).code).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  });
});

describe('a TLS session', () => {
  it('is never taken up again: each connection proves anew who has made it', async () => {
    server = await TlsServerUnderTest.start(authority);
    const sessions: Buffer[] = [];
    const open = (session?: Buffer): Promise<boolean> =>
      new Promise((resolve, reject) => {
        const socket = connect({
          ...parseHostPort('address', server.server.address),
          ca: authority.ca.trustedPem,
          ALPNProtocols: ['h2'],
          checkServerIdentity: () => undefined,
          ...(session === undefined ? {} : { session }),
        });
        socket.on('session', (ticket: Buffer) => sessions.push(ticket));
        socket.on('error', reject);
        // The server's greeting in HTTP/2 comes after whatever tickets there are.
        socket.once('data', () => {
          resolve(socket.isSessionReused());
          socket.destroy();
        });
      });
    expect(await open()).toBe(false);
    for (const session of [...sessions]) expect(await open(session)).toBe(false);
  });
});
