import { afterEach, describe, expect, it } from 'vitest';
import type { AccountName, NamespaceId } from '../../../common/ids.js';
import { trustLimits } from '../../../common/limits.js';
import { blockMethods, type BlockCalls } from '../../../server/block-codec.js';
import { collect, deferred, forEach, rejection, streamOf } from '../../support/async-tools.js';
import { attempt, blockMethodNames, whatIsTold } from '../../support/blocks/attempts.js';
import { newTokenKey } from '../../support/blocks/block-fleet.js';
import { startBlockServer, type BlockServerOptions, type BlockServerPair } from '../../support/blocks/block-server.js';
import { blockOf, NAMESPACE, OTHER_NAMESPACE } from '../../support/blocks/sample-blocks.js';
import { eventually } from '../../support/eventually.js';
import { ManualClock } from '../../support/manual-clock.js';

const NOWHERE = '0123456789abcdef0123456789abcdef' as NamespaceId;
const TOKEN_LIFE_MS = trustLimits.accessTokenMs + trustLimits.accessTokenSkewMs;
const secret = blockOf('what only the holders of a namespace may know');
let server: BlockServerPair;

async function start(options?: BlockServerOptions): Promise<BlockServerPair> {
  server = await startBlockServer(options);
  return server;
}

afterEach(() => server.close());

const verifications = (result: string): Promise<number> =>
  server.metric(`drystone_agent_token_verifications_total{result="${result}"}`);

describe.each(blockMethodNames)('%s', (method) => {
  /** One who knows the secret's hash, and to put it its content too, comes with a token: with a good one unless given. */
  const tryIt = (calls: BlockCalls, accessToken?: string, namespaceId = NAMESPACE): Promise<unknown[]> => {
    const options = accessToken === undefined ? undefined : { accessToken };
    return collect(attempt(method, calls, namespaceId, streamOf(secret), options));
  };

  it('tells a namespace of others, one that is not assigned here, and one that does not exist apart in no way', async () => {
    await start({ isAssigned: (namespaceId) => namespaceId === NAMESPACE });
    await server.store.put(NAMESPACE, [secret]);
    await server.store.put(OTHER_NAMESPACE, [secret]);
    const mallory = await server.connect(await server.fleet.authority.device('mallory'), [[OTHER_NAMESPACE, 'write']]);
    const told = [];
    for (const namespaceId of [NAMESPACE, OTHER_NAMESPACE, NOWHERE]) {
      const refusal = await rejection(tryIt(mallory.calls, undefined, namespaceId));
      expect(refusal).toMatchObject({ code: 'NOT_FOUND', reason: 'NAMESPACE_NOT_ASSIGNED' });
      told.push(whatIsTold(refusal, namespaceId));
    }
    expect(told).toEqual([told[0], told[0], told[0]]);
  });

  it('is for nobody without a token', async () => {
    await start();
    const refusal = await rejection(tryIt(server.channel.service(blockMethods)));
    expect(refusal).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'TOKEN_MISSING' });
    expect(await verifications('missing')).toBe(1);
  });

  it('takes a stolen token with no other certificate, though it be one of the same account', async () => {
    await start();
    const stolen = await server.fleet.token(server.held);
    for (const account of ['mallory', 'ana']) {
      const thief = await server.connect(await server.fleet.authority.device(account));
      const refusal = await rejection(tryIt(thief.calls, stolen));
      expect(refusal).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'TOKEN_INVALID' });
    }
    expect(await verifications('foreign')).toBe(2);
  });

  it('takes no token that gives the device another account', async () => {
    await start();
    const token = await server.fleet.token(server.held, undefined, { account: 'root' as AccountName });
    expect(await rejection(tryIt(server.calls, token))).toMatchObject({ reason: 'TOKEN_INVALID' });
  });

  it.each<[string, () => Promise<string>]>([
    [
      'forged with another key that bears the name of the right one',
      () => server.fleet.token(server.held, undefined, { key: newTokenKey(server.fleet.tokenKey.id) }),
    ],
    [
      'signed with a key of which this server has not been told',
      () => server.fleet.token(server.held, undefined, { key: newTokenKey('k2') }),
    ],
    [
      'made to last longer than any that metadata makes',
      () => server.fleet.token(server.held, undefined, { expiresAtMs: Date.now() + 24 * 60 * 60 * 1000 }),
    ],
    [
      'whose claims were changed after it was signed',
      async () => {
        const [head, , signature] = (await server.fleet.token(server.held, [[NAMESPACE, 'read']])).split('.');
        const [, claims] = (await server.fleet.token(server.held)).split('.');
        return [head, claims, signature].join('.');
      },
    ],
    [
      'that asks to be believed without a signature',
      async () => {
        const [, claims] = (await server.fleet.token(server.held)).split('.');
        const head = Buffer.from(JSON.stringify({ alg: 'none', kid: 'k1', typ: 'at+jwt' })).toString('base64url');
        return [head, claims, ''].join('.');
      },
    ],
    ['that is none', async () => 'let-me-in'],
  ])('takes no token %s', async (_, forge) => {
    await start();
    const refusal = await rejection(tryIt(server.calls, await forge()));
    expect(refusal).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'TOKEN_INVALID' });
    expect(await verifications('invalid')).toBe(1);
  });

  it('takes a token until its time is over, which clocks may disagree about, and no longer', async () => {
    const clock = new ManualClock(Date.now());
    await start({ clock });
    const token = await server.fleet.token(server.held);
    clock.advance(TOKEN_LIFE_MS - 1000);
    await tryIt(server.calls, token);
    clock.advance(1000);
    const refusal = await rejection(tryIt(server.calls, token));
    expect(refusal).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'TOKEN_EXPIRED' });
    expect([await verifications('ok'), await verifications('expired')]).toEqual([1, 1]);
  });

  it('is for devices: an agent opens nothing, not even with the token of one', async () => {
    await start();
    const agent = await server.fleet.authority.agent('porto');
    const { calls } = await server.connect(agent, undefined, server.fleet.clock, server.held);
    const refusal = await rejection(tryIt(calls));
    expect(refusal).toMatchObject({ code: 'PERMISSION_DENIED', reason: 'ROLE_INSUFFICIENT' });
  });

  it('is refused by a server that has been put out of the fleet', async () => {
    await start({ isRevoked: () => true });
    const refusal = await rejection(tryIt(server.calls));
    expect(refusal).toMatchObject({ code: 'UNAVAILABLE', reason: 'IDENTITY_REVOKED' });
  });

  it.each<[string, object, (state: StreamState) => void]>([
    [
      'when its token has expired',
      { code: 'UNAUTHENTICATED', reason: 'TOKEN_EXPIRED' },
      ({ clock }) => clock.advance(TOKEN_LIFE_MS),
    ],
    [
      'when the namespace is assigned here no longer',
      { code: 'NOT_FOUND', reason: 'NAMESPACE_NOT_ASSIGNED' },
      (state) => (state.isAssigned = false),
    ],
    [
      'when the server has been revoked',
      { code: 'UNAVAILABLE', reason: 'IDENTITY_REVOKED' },
      (state) => (state.isRevoked = true),
    ],
  ])('ends in mid-stream %s', async (_, refusal, change) => {
    const state: StreamState = { clock: new ManualClock(Date.now()), isAssigned: true, isRevoked: false };
    await start({ clock: state.clock, isAssigned: () => state.isAssigned, isRevoked: () => state.isRevoked });
    const [first, late] = [blockOf('in time'), blockOf('too late')];
    const answered = deferred();
    const blocks = async function* () {
      yield first;
      await answered.promise;
      change(state);
      yield late;
    };
    let answers = 0;
    const stream = forEach(attempt(method, server.calls, NAMESPACE, blocks()), () => {
      answers++;
      answered.resolve();
    });
    expect(await rejection(stream)).toMatchObject(refusal);
    expect(answers).toBe(1);
    expect(await server.store.sizes(NAMESPACE, late.hash)).toEqual([0]);
  });

  it('keeps no stream open for one who has said nothing until his token expired', async () => {
    const clock = new ManualClock(Date.now());
    await start({ clock });
    const silence = deferred();
    const blocks = async function* () {
      yield secret;
      await silence.promise;
    };
    const stream = rejection(collect(attempt(method, server.calls, NAMESPACE, blocks())));
    const label = method.slice(0, 3).toLowerCase();
    const openStreams = (): Promise<number> => server.metric(`drystone_agent_streams{method="${label}"}`);
    await eventually(openStreams).toBe(1);
    clock.advance(TOKEN_LIFE_MS);
    expect(await stream).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'TOKEN_EXPIRED' });
    await eventually(openStreams).toBe(0);
    silence.resolve();
  });
});

interface StreamState {
  readonly clock: ManualClock;
  isAssigned: boolean;
  isRevoked: boolean;
}
