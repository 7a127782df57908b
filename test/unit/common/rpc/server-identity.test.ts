import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openCertificateAuthority } from '../../../../common/identity/certificates.js';
import { credentialOf, HeldIdentity } from '../../../../common/identity/held-identity.js';
import type { AgentId } from '../../../../common/ids.js';
import { rawPublicKey } from '../../../../common/receipt.js';
import { openChannel } from '../../../../common/rpc/client.js';
import { readTrustedCertificates } from '../../../../common/rpc/first-contact.js';
import type { ServerPeer } from '../../../../common/rpc/server-identity.js';
import { enrollingChannel, mutualTls } from '../../../../common/rpc/transport-credentials.js';
import { rejection, streamOf } from '../../../support/async-tools.js';
import { startRpcPair, TestService } from '../../../support/rpc-pair.js';
import { certificateNaming, intermediateCa, selfSignedCa } from '../../../support/trust/odd-certificates.js';
import { newKey, TestAuthority, validity } from '../../../support/trust/test-authority.js';
import { TlsServerUnderTest } from '../../../support/trust/tls-server.js';
import { waitUntil } from '../../../support/wait-until.js';

let authority: TestAuthority;
let elsewhere: TestAuthority;
let client: HeldIdentity;
beforeAll(async () => {
  [authority, elsewhere] = await Promise.all([TestAuthority.create(), TestAuthority.create()]);
  client = await authority.device();
});

let server: TlsServerUnderTest | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const bytes = (text: string): Buffer => Buffer.from(text);
const pemOf = ({ privateKey }: HeldIdentity): string => privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/** What a call over a new channel to `address` answers, where `peer` is whom the client wants. */
async function ask(address: string, peer: ServerPeer): Promise<Buffer> {
  const channel = openChannel(address, mutualTls(client).channelTo(peer));
  try {
    return await channel.service(TestService).ask(bytes('hello'));
  } finally {
    channel.close();
  }
}

async function serveAs(held: HeldIdentity, listen?: string): Promise<string> {
  server = await TlsServerUnderTest.start(authority, { held, ...(listen === undefined ? {} : { listen }) });
  return server.server.address;
}

/** A TCP server that keeps what it is sent, and answers as `respond` does. */
async function listenTcp(respond: (socket: Socket) => void) {
  const received: Buffer[] = [];
  const tcp = createTcpServer((socket) => {
    socket.on('data', (chunk) => received.push(chunk)).on('error', () => undefined);
    respond(socket);
  });
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void tcp.close());
  return { address: `127.0.0.1:${(tcp.address() as AddressInfo).port}`, received };
}

/** A TLS server that keeps what it is told over its connections. */
async function listenTls(certificateChain: string, key: string) {
  const heard: Buffer[] = [];
  const tls = createTlsServer({ cert: certificateChain, key, ALPNProtocols: ['h2'], minVersion: 'TLSv1.3' }, (socket) =>
    socket.on('data', (chunk: Buffer) => heard.push(chunk)).on('error', () => undefined),
  );
  tls.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void tls.close());
  return { address: `127.0.0.1:${(tls.address() as AddressInfo).port}`, heard };
}

const untrusted = { code: 'UNAVAILABLE', reason: 'SERVER_UNTRUSTED' };

describe('a channel', () => {
  it('to metadata speaks to metadata, and to an agent to that agent, wherever they stand', async () => {
    expect(String(await ask(await serveAs(await authority.metadata()), 'metadata'))).toBe('hello');
    await server?.close();
    const agent = await authority.agent();
    const { identity } = agent;
    const id = identity.kind === 'agent' ? identity.agentId : 'metadata';
    expect(String(await ask(await serveAs(agent, 'localhost:0'), id))).toBe('hello');
  });

  const agentId = newKey<AgentId>().id;
  it.each<[string, ServerPeer, () => Promise<HeldIdentity>]>([
    ['an agent in place of metadata', 'metadata', () => authority.agent()],
    ['a device in place of metadata', 'metadata', () => authority.device()],
    ['another agent', agentId, () => authority.agent()],
    ['metadata in place of an agent', agentId, () => authority.metadata()],
    ['metadata of another CA', 'metadata', () => elsewhere.metadata()],
    ['metadata whose certificate has ended', 'metadata', () => authority.metadata(validity.past)],
    ['metadata whose certificate is of tomorrow', 'metadata', () => authority.metadata(validity.future)],
  ])('takes no %s: SERVER_UNTRUSTED, and tells it nothing', async (_, peer, impostor) => {
    const held = await impostor();
    const { address, heard } = await listenTls(held.credential.certificateChain, pemOf(held));
    const error = await rejection(ask(address, peer));
    expect(error).toMatchObject(untrusted);
    expect((error as Error).message).toContain(address);
    expect((error as Error).message).toContain('nothing was sent');
    expect(Buffer.concat(heard)).toHaveLength(0);
  });

  it('takes no server without TLS: SERVER_UNTRUSTED, and tells it nothing but its greeting', async () => {
    const plain = await startRpcPair({});
    onTestFinished(() => plain.close());
    expect(await rejection(ask(plain.server.address, 'metadata'))).toMatchObject(untrusted);
  });

  it('takes no older TLS', async () => {
    const held = await authority.metadata();
    const tls = createTlsServer({ cert: held.credential.certificateChain, key: pemOf(held), maxVersion: 'TLSv1.2' });
    tls.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void tls.close());
    const { port } = tls.address() as AddressInfo;
    expect(await rejection(ask(`127.0.0.1:${port}`, 'metadata'))).toMatchObject(untrusted);
  });

  it('that is closed while its connection is being made leaves no connection behind', async () => {
    const address = await serveAs(await authority.metadata());
    // At one moment or another of the handshake.
    for (let delayMs = 0; delayMs < 12; delayMs += 0.5) {
      const channel = openChannel(address, mutualTls(client).channelTo('metadata'));
      const call = rejection(
        channel
          .service(TestService)
          .chat(streamOf(bytes('hello')))
          .next()
          .then(() => Promise.reject(new Error())),
      );
      const until = performance.now() + delayMs;
      while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve));
      channel.close();
      await call;
    }
    await waitUntil('all are gone', async () => (await server!.metric('drystone_rpc_connections')) === 0);
  });

  it('to a server that ends the connection fails as one to a server that is not there', async () => {
    const { address } = await listenTcp((socket) => socket.destroy());
    expect(await rejection(ask(address, 'metadata'))).toMatchObject({ code: 'UNAVAILABLE', reason: 'TRANSPORT' });
  });
});

describe('an operator’s own certificate of metadata', () => {
  const named = async (host: string, issuer: TestAuthority) => {
    const { privateKey } = newKey();
    const chainPem = await certificateNaming(issuer, privateKey, [{ type: 'dns', value: host }]);
    return { chainPem, keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  };
  const serveWith = async (host: string, issuer = authority) => {
    const { chainPem, keyPem } = await named(host, issuer);
    const { address, heard } = await listenTls(chainPem, keyPem);
    return { address: address.replace('127.0.0.1', 'localhost'), heard };
  };

  it('counts for the host that it names', async () => {
    const serverCertificate = await named('localhost', authority);
    server = await TlsServerUnderTest.start(authority, { serverCertificate, listen: 'localhost:0' });
    expect(String(await ask(server.server.address, 'metadata'))).toBe('hello');
  });

  it.each([
    ['for another host', 'elsewhere.example', () => authority],
    ['of another CA', 'localhost', () => elsewhere],
  ])('does not count %s: SERVER_UNTRUSTED', async (_, host, issuer) => {
    const { address, heard } = await serveWith(host, issuer());
    expect(await rejection(ask(address, 'metadata'))).toMatchObject(untrusted);
    expect(heard).toHaveLength(0);
  });

  it('does not count for an agent', async () => {
    const { address } = await serveWith('localhost');
    expect(await rejection(ask(address, newKey<AgentId>().id))).toMatchObject(untrusted);
  });
});

describe('a first contact', () => {
  const fingerprint = () => authority.ca.fingerprint;

  it('brings the CA of the fleet, which then verifies the server', async () => {
    const address = await serveAs(await authority.metadata());
    const pem = await readTrustedCertificates(address, fingerprint());
    expect(pem).toBe(authority.ca.certificatePem);
    const channel = openChannel(address, enrollingChannel(pem));
    onTestFinished(() => channel.close());
    expect(await rejection(channel.service(TestService).ask(bytes('')))).toMatchObject({
      reason: 'CERTIFICATE_MISSING',
    });
  });

  it('finds the CA of an operator under a root that nobody has told of', async () => {
    const { privateKey } = newKey();
    const own = await intermediateCa(authority, privateKey);
    const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const ca = await openCertificateAuthority(keyPem, own + authority.ca.certificatePem);
    const holder = await authority.metadata();
    const chain = await ca.issue({
      identity: holder.identity,
      publicKey: rawPublicKey(holder.privateKey),
      notBeforeMs: Date.now() - 1000,
      notAfterMs: Date.now() + 100_000,
      serial: Buffer.alloc(16, 1),
    });
    const address = await serveAs(
      new HeldIdentity(holder.identity, holder.privateKey, credentialOf(chain, ca.trustedPem)),
    );
    expect(await readTrustedCertificates(address, ca.fingerprint)).toBe(own);
  });

  const serverUntrusted = { code: 'UNAUTHENTICATED', reason: 'SERVER_UNTRUSTED', isTransient: false };

  it.each<[string, () => Promise<HeldIdentity>]>([
    ['of another fleet', () => elsewhere.metadata()],
    ['that is an agent', () => authority.agent()],
    ['that is a device', () => authority.device()],
    ['whose certificate has ended', () => authority.metadata(validity.past)],
    [
      'that shows the CA of the fleet behind a certificate of another',
      async () => {
        const held = await elsewhere.metadata();
        const [leaf] = held.credential.certificateChain.split(/(?<=-----END CERTIFICATE-----\n)/);
        return new HeldIdentity(held.identity, held.privateKey, {
          ...held.credential,
          certificateChain: leaf! + authority.ca.certificatePem,
        });
      },
    ],
    [
      'that has made a CA of the same name',
      async () => {
        const { privateKey } = newKey();
        const held = await authority.metadata();
        return new HeldIdentity(held.identity, privateKey, {
          ...held.credential,
          certificateChain: (await selfSignedCa(privateKey)) + authority.ca.certificatePem,
        });
      },
    ],
  ])('with a server %s fails: SERVER_UNTRUSTED, and the server hears nothing', async (_, impostor) => {
    const held = await impostor();
    const { address, heard } = await listenTls(held.credential.certificateChain, pemOf(held));
    expect(await rejection(readTrustedCertificates(address, fingerprint()))).toMatchObject(serverUntrusted);
    expect(Buffer.concat(heard)).toHaveLength(0);
  });

  it('with a server without TLS fails: SERVER_UNTRUSTED', async () => {
    const { address } = await listenTcp((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect(await rejection(readTrustedCertificates(address, fingerprint()))).toMatchObject(serverUntrusted);
  });

  it('with nobody fails: UNAVAILABLE, and says where', async () => {
    const error = await rejection(readTrustedCertificates('127.0.0.1:1', fingerprint()));
    expect(error).toMatchObject({ code: 'UNAVAILABLE', reason: 'TRANSPORT', isTransient: true });
    expect((error as Error).message).toContain('127.0.0.1:1');
  });

  it('with a server that hangs up fails: UNAVAILABLE', async () => {
    const { address } = await listenTcp((socket) => socket.destroy());
    expect(await rejection(readTrustedCertificates(address, fingerprint()))).toMatchObject({ code: 'UNAVAILABLE' });
  });
});
