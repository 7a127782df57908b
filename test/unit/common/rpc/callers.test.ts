import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { credentialOf, HeldIdentity } from '../../../../common/identity/held-identity.js';
import { identityUri } from '../../../../common/identity/identity.js';
import type { DeviceId } from '../../../../common/ids.js';
import type { Audience } from '../../../../common/rpc/caller.js';
import type { CallContext } from '../../../../common/rpc/method-types.js';
import { enrollingChannel, mutualTls } from '../../../../common/rpc/transport-credentials.js';
import { collect, quietFor, rejection, streamOf } from '../../../support/async-tools.js';
import { callReflection, checkHealth } from '../../../support/library-services.js';
import { certificateNaming } from '../../../support/trust/odd-certificates.js';
import { newKey, TestAuthority, validity } from '../../../support/trust/test-authority.js';
import { TlsServerUnderTest, type TlsServerOptions } from '../../../support/trust/tls-server.js';

let authority: TestAuthority;
let elsewhere: TestAuthority;
beforeAll(async () => {
  [authority, elsewhere] = await Promise.all([TestAuthority.create(), TestAuthority.create()]);
});

let server: TlsServerUnderTest | undefined;
const start = async (options: TlsServerOptions = {}) => (server = await TlsServerUnderTest.start(authority, options));
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const bytes = (text: string): Buffer => Buffer.from(text);

/** One who trusts this fleet and shows another certificate. */
function showing(held: HeldIdentity, chain = held.credential.certificateChain): HeldIdentity {
  return new HeldIdentity(held.identity, held.privateKey, credentialOf(chain, authority.ca.trustedPem));
}

async function showingNames(...names: { type: 'url' | 'dns'; value: string }[]): Promise<HeldIdentity> {
  const { privateKey, id } = newKey<DeviceId>();
  const held = await authority.hold({ kind: 'device', account: 'ana' as never, deviceId: id }, privateKey);
  return showing(held, await certificateNaming(authority, privateKey, names));
}

const callers: Readonly<Record<string, () => Promise<HeldIdentity | undefined>>> = {
  'no certificate': async () => undefined,
  'a certificate of another CA': async () => showing(await elsewhere.device()),
  'a certificate that has ended': () => authority.device('ana', validity.past),
  'a certificate of tomorrow': () => authority.device('ana', validity.future),
  'a certificate that names nobody': () => showingNames(),
  'a certificate for a host': () => showingNames({ type: 'dns', value: 'localhost' }),
  'a certificate with a foreign URI': () => showingNames({ type: 'url', value: 'spiffe://elsewhere/metadata' }),
  'a certificate with another’s id': async () => {
    const { identity } = await authority.device();
    return showingNames({ type: 'url', value: identityUri(identity) });
  },
};

describe('a call by one who shows', () => {
  it.each([
    ['no certificate', 'CERTIFICATE_MISSING', 'drystone login', 'no_certificate'],
    ['a certificate of another CA', 'CERTIFICATE_INVALID', 'of this fleet', 'untrusted'],
    ['a certificate that has ended', 'CERTIFICATE_EXPIRED', 'has ended', 'expired'],
    ['a certificate of tomorrow', 'CERTIFICATE_INVALID', 'of this fleet', 'untrusted'],
    ['a certificate that names nobody', 'CERTIFICATE_INVALID', 'of this fleet', 'untrusted'],
    ['a certificate for a host', 'CERTIFICATE_INVALID', 'of this fleet', 'untrusted'],
    ['a certificate with a foreign URI', 'CERTIFICATE_INVALID', 'of this fleet', 'untrusted'],
    ['a certificate with another’s id', 'CERTIFICATE_INVALID', 'of this fleet', 'untrusted'],
  ])('%s is refused: UNAUTHENTICATED, %s', async (who, reason, says, handshake) => {
    let handled = 0;
    const test = await start({
      audience: 'agent or device',
      implementation: {
        ask: async (request) => {
          handled++;
          return request;
        },
      },
    });
    const calls = test.callsOf(await callers[who]!());
    const failures = [
      await rejection(calls.ask(bytes('hello'))),
      await rejection(collect(calls.list(bytes('')))),
      await rejection(collect(calls.chat(streamOf(bytes(''))))),
    ];
    for (const failure of failures) {
      expect(failure).toMatchObject({ code: 'UNAUTHENTICATED', reason });
      expect((failure as Error).message).toContain(says);
    }
    expect(handled).toBe(0);
    expect(await test.metric('drystone_rpc_refusals_total', { reason })).toBe(3);
    expect(await test.metric('drystone_rpc_handshakes_total', { result: handshake })).toBe(1);
    expect(await test.metric('grpc_server_handled_total', { grpc_code: 'UNAUTHENTICATED', grpc_method: 'Ask' })).toBe(
      1,
    );
  });

  it('nothing is answered where anyone may call', async () => {
    const test = await start({ audience: 'anyone' });
    for (const who of Object.keys(callers)) {
      expect(String(await test.callsOf(await callers[who]!()).ask(bytes(who)))).toBe(who);
    }
  });
});

describe('an RPC', () => {
  const kinds = ['device', 'agent', 'metadata'] as const;
  it.each<[Audience, readonly (typeof kinds)[number][]]>([
    ['anyone', ['device', 'agent', 'metadata']],
    ['device', ['device']],
    ['agent', ['agent']],
    ['agent or device', ['device', 'agent']],
  ])('for %s is for %j and nobody else: PERMISSION_DENIED, ROLE_INSUFFICIENT', async (audience, welcome) => {
    const test = await start({ audience });
    for (const kind of kinds) {
      const answer = test.callsOf(await authority[kind]()).ask(bytes('hello'));
      if (welcome.includes(kind)) expect(String(await answer)).toBe('hello');
      else {
        const error = await rejection(answer);
        expect(error).toMatchObject({ code: 'PERMISSION_DENIED', reason: 'ROLE_INSUFFICIENT' });
        expect((error as Error).message).toContain(kind);
      }
    }
  });

  it('knows who calls, and the access token that came along', async () => {
    const seen: CallContext[] = [];
    const test = await start({
      implementation: {
        ask: async (request, context) => {
          seen.push(context);
          return request;
        },
        async *list(_, context) {
          seen.push(context);
        },
        async *chat(_, context) {
          seen.push(context);
        },
      },
    });
    const ana = await authority.device('ana');
    const ben = await authority.device('ben');
    const calls = test.callsOf(ana);
    await calls.ask(bytes(''), { accessToken: 'one' });
    await collect(calls.list(bytes(''), { accessToken: 'two' }));
    await collect(calls.chat(streamOf(), { accessToken: 'three' }));
    await test.callsOf(ben).ask(bytes(''));
    expect(seen.map(({ caller }) => caller)).toEqual([ana, ana, ana, ben].map(({ identity }) => identity));
    expect(seen.map(({ accessToken }) => accessToken)).toEqual(['one', 'two', 'three', undefined]);
  });

  it('is refused before its requests are read, however long they are', async () => {
    const test = await start({ audience: 'agent' });
    let sent = 0;
    const calls = test.callsOf(await authority.device());
    async function* requests() {
      for (;;) {
        sent++;
        yield Buffer.alloc(1 << 20);
      }
    }
    expect(await rejection(collect(calls.chat(requests())))).toMatchObject({ reason: 'ROLE_INSUFFICIENT' });
    const atEnd = sent;
    await quietFor(50);
    expect(sent).toBe(atEnd);
    expect(await rejection(calls.ask(bytes('malformed')))).toMatchObject({ reason: 'ROLE_INSUFFICIENT' });
  });

  it('whose caller has been revoked is refused at once, also on an open connection: IDENTITY_REVOKED', async () => {
    const revoked = new Set<string>();
    const test = await start({
      audience: 'agent or device',
      isRevoked: async (caller) => revoked.has(caller.kind === 'device' ? caller.deviceId : caller.agentId),
    });
    const ana = await authority.device('ana');
    const calls = test.callsOf(ana);
    const others = test.callsOf(await authority.agent());
    expect(String(await calls.ask(bytes('hello')))).toBe('hello');
    revoked.add(ana.identity.kind === 'device' ? ana.identity.deviceId : '');
    const error = await rejection(calls.ask(bytes('hello')));
    expect(error).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'IDENTITY_REVOKED' });
    expect((error as Error).message).toContain('one-time token');
    expect(String(await others.ask(bytes('hello')))).toBe('hello');
    expect(await test.metric('drystone_rpc_refusals_total', { reason: 'IDENTITY_REVOKED' })).toBe(1);
  });

  it('fails with INTERNAL where nobody can say whether its caller is revoked', async () => {
    const test = await start({ isRevoked: () => Promise.reject(new Error('the store is closed')) });
    expect(await rejection(test.callsOf(await authority.device()).ask(bytes('')))).toMatchObject({ code: 'INTERNAL' });
  });
});

describe('the standard services', () => {
  it('tell anyone whether the server is well', async () => {
    const { server } = await start();
    expect(await checkHealth(server.address, enrollingChannel(authority.ca.trustedPem))).toBe('SERVING');
  });

  it('describe the contracts to whoever has a certificate, and to nobody else', async () => {
    const { server } = await start();
    const request = { list_services: '' };
    for (const held of [await authority.device(), await authority.agent()]) {
      const answer = await callReflection(server.address, request, mutualTls(held).channelTo('metadata'));
      expect(answer.list_services_response?.service).toBeDefined();
    }
    const anonymous = enrollingChannel(authority.ca.trustedPem);
    expect(await rejection(callReflection(server.address, request, anonymous))).toMatchObject({ code: 16 });
    const stranger = mutualTls(showing(await elsewhere.device())).channelTo('metadata');
    expect(await rejection(callReflection(server.address, request, stranger))).toMatchObject({ code: 16 });
  });
});
