import { afterAll, beforeAll, expect, it } from 'vitest';
import { signAccessToken } from '../../common/identity/access-tokens.js';
import type { HeldIdentity } from '../../common/identity/held-identity.js';
import type { DeviceIdentity } from '../../common/identity/identity.js';
import type { NamespaceId } from '../../common/ids.js';
import { trustLimits } from '../../common/limits.js';
import type { RpcChannel } from '../../common/rpc/client.js';
import type { CallOptions } from '../../common/rpc/method-types.js';
import { FeedServiceService } from '../../proto/gen/drystone/feed/v1/feed.js';
import { AccessServiceService, AccountRole, MemberRole } from '../../proto/gen/drystone/metadata/v1/access.js';
import { blockMethods } from '../../server/block-codec.js';
import { endorsedPush } from '../support/agent/endorsed-push.js';
import { collect, firstOf, rejection, streamOf } from '../support/async-tools.js';
import { attempt, type BlockMethodName } from '../support/blocks/attempts.js';
import { newTokenKey } from '../support/blocks/block-fleet.js';
import { blockOf } from '../support/blocks/sample-blocks.js';
import type { TestCaller } from '../support/metadata/callers.js';
import { FleetUnderAttack } from '../support/security/fleet-under-attack.js';
import { attemptAt, libraryAttempts } from '../support/security/metadata-attempts.js';
import { makeOddCaller, oddCallers } from '../support/security/odd-callers.js';
import { outcomeOf, readTable } from '../support/security/refusal-table.js';
import { servedPaths } from '../support/security/rpcs.js';

/**
 * What becomes of every RPC of an agent, for every kind of caller. Each cell is a real call, over TLS, to the real program.
 * From `no token` on the callers are devices whose certificates count, of an editor unless named; what differs is the token.
 * An agent does not hear of revoked devices: what they have ends with their token, within minutes, and they get no other.
 */
const table = readTable(`
| RPC                    | nobody  | wrong CA | nameless | expired | not yet | agent | no token | garbage   | forged    | over      | another device's | another fleet's | another namespace's | reader | editor | revoked before its end |
| BlockService/PutBlocks | missing | invalid  | invalid  | expired | invalid | role  | no token | bad token | bad token | old token | bad token        | bad token       | not here            | role   | ok     | ok                     |
| BlockService/GetBlocks | missing | invalid  | invalid  | expired | invalid | role  | no token | bad token | bad token | old token | bad token        | bad token       | not here            | ok     | ok     | ok                     |
| FeedService/ReadFeed   | missing | invalid  | invalid  | expired | invalid | role  | no token | bad token | bad token | old token | bad token        | bad token       | not here            | ok     | ok     | ok                     |
| FeedService/Subscribe  | missing | invalid  | invalid  | expired | invalid | role  | no token | bad token | bad token | old token | bad token        | bad token       | not here            | ok     | ok     | ok                     |
| FeedService/Push       | missing | invalid  | invalid  | expired | invalid | role  | no token | bad token | bad token | old token | bad token        | bad token       | not here            | role   | ok     | ok                     |
| BlockService/HasBlocks | missing | invalid  | invalid  | expired | invalid | role  | no token | bad token | bad token | old token | bad token        | bad token       | not here            | ok     | ok     | ok                     |
`);

/** The same of what every server serves beside its own, for which there are no tokens. */
const libraryTable = readTable(`
| RPC                                                           | nobody  | wrong CA | nameless | expired | not yet | agent | device |
| grpc.health.v1.Health/Check                                   | ok      | ok       | ok       | ok      | ok      | ok    | ok     |
| grpc.health.v1.Health/Watch                                   | ok      | ok       | ok       | ok      | ok      | ok    | ok     |
| grpc.health.v1.Health/List                                    | ok      | ok       | ok       | ok      | ok      | ok    | ok     |
| grpc.reflection.v1.ServerReflection/ServerReflectionInfo      | missing | invalid  | invalid  | expired | invalid | ok    | ok     |
| grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo | missing | invalid  | invalid  | expired | invalid | ok    | ok     |
`);

const block = blockOf('what is tried with');
const members = { editor: MemberRole.EDITOR, reader: MemberRole.READER, other: MemberRole.OWNER };

interface BlockCaller {
  readonly held: HeldIdentity | undefined;
  readonly token?: string;
}

let fleet: FleetUnderAttack;
let namespaceId: NamespaceId;
const callers = new Map<string, BlockCaller>();

beforeAll(async () => {
  fleet = await FleetUnderAttack.start();
  for (const odd of oddCallers) callers.set(odd, { held: await makeOddCaller(fleet, odd, 'device') });
  const devices = new Map<string, TestCaller<DeviceIdentity>>();
  for (const account of Object.keys(members)) devices.set(account, await fleet.device(account));
  const [editor, reader] = [devices.get('editor')!, devices.get('reader')!];
  namespaceId = await fleet.namespace('shared', members);
  const otherNamespaceId = await fleet.namespace('another', members);
  const good = await fleet.tokenOf(editor, namespaceId);
  const { held } = editor;
  callers.set('agent', { held: fleet.agentHeld, token: good });
  callers.set('device', { held });
  callers.set('no token', { held });
  callers.set('garbage', { held, token: 'e30.e30.e30' });
  callers.set('forged', { held, token: await forged(editor, good) });
  callers.set('over', { held, token: await tokenOfThePast(editor) });
  callers.set("another device's", { held, token: await fleet.tokenOf(await fleet.device('editor'), namespaceId) });
  callers.set("another fleet's", { held, token: await tokenOfAnotherFleet(editor) });
  callers.set("another namespace's", { held, token: await fleet.tokenOf(editor, otherNamespaceId) });
  callers.set('reader', { held: reader.held, token: await fleet.tokenOf(reader, namespaceId) });
  callers.set('editor', { held, token: good });
  callers.set('revoked before its end', await revokedWithToken());
});

afterAll(() => fleet.stop());

/** One that says the same as a good one, under the same name of a key, signed with another. */
function forged({ identity }: TestCaller<DeviceIdentity>, good: string): Promise<string> {
  const { kid } = JSON.parse(Buffer.from(good.split('.')[0]!, 'base64url').toString()) as { kid: string };
  return signAccessToken(grantTo(identity), newTokenKey(kid));
}

function grantTo({ deviceId, account }: DeviceIdentity) {
  const issuedAtMs = Date.now();
  const expiresAtMs = issuedAtMs + trustLimits.accessTokenMs;
  return { device: deviceId, account, namespaces: new Map([[namespaceId, 'write'] as const]), issuedAtMs, expiresAtMs };
}

/** A token of metadata whose end, and the tolerance after it, has just passed. */
async function tokenOfThePast(device: TestCaller<DeviceIdentity>): Promise<string> {
  fleet.clock.shiftMs = -(trustLimits.accessTokenMs + trustLimits.accessTokenSkewMs + 2000);
  try {
    return await fleet.tokenOf(device, namespaceId);
  } finally {
    fleet.clock.shiftMs = 0;
  }
}

/** A good token, for the same key and account, in another fleet. */
async function tokenOfAnotherFleet({ held, identity }: TestCaller<DeviceIdentity>): Promise<string> {
  const { account } = identity;
  const other = await FleetUnderAttack.start();
  try {
    const { access } = other.metadata.calls;
    await access.createAccount({ name: account, role: AccountRole.MEMBER });
    const { token } = await access.issueDeviceToken({ account, validSeconds: 0 });
    const device = await other.metadata.enrollment.join(token, held.privateKey);
    const id = await other.namespace('shared', { [account]: MemberRole.OWNER });
    return (await device.calls.account.issueAccessToken({ namespaceIds: [id] })).accessToken;
  } finally {
    await other.stop();
  }
}

async function revokedWithToken(): Promise<BlockCaller> {
  const device = await fleet.device('editor');
  const token = await fleet.tokenOf(device, namespaceId);
  await fleet.metadata.calls.access.revokeDevice({ deviceId: device.identity.deviceId });
  return { held: device.held, token };
}

it('every RPC that an agent serves has a line, and every line an RPC', () => {
  const served = servedPaths((path) => /^\/drystone\.(block|feed)\./.test(path));
  const named = [...table, ...libraryTable].map(({ name }) => name);
  expect(named.sort()).toEqual(served.map((path) => path.replace(/^\/(drystone\.(block|feed)\.v1\.)?/, '')).sort());
});

/** Calls an RPC of the agent's so that it succeeds for whoever may make the call. */
function attemptAtAgent(name: string, channel: RpcChannel, held: HeldIdentity | undefined, options: CallOptions) {
  const calls = channel.service(FeedServiceService);
  switch (name) {
    case 'FeedService/ReadFeed':
      return calls.readFeed({ namespaceId, afterCursor: 0n, pageSize: 0, pathPrefix: '' }, options);
    case 'FeedService/Subscribe':
      return firstOf(calls.subscribe({ namespaceId, afterCursor: 0n, replicaId: '' }, options));
    case 'FeedService/Push':
      return collect(calls.push(streamOf(endorsedPush(namespaceId, held)), options));
    default: {
      const method = name.split('/')[1] as BlockMethodName;
      return collect(attempt(method, channel.service(blockMethods), namespaceId, streamOf(block), options));
    }
  }
}

it.each(table)('$name', async ({ name, expected }) => {
  const outcomes: Record<string, string> = {};
  for (const column of Object.keys(expected)) {
    const { held, token } = callers.get(column)!;
    const channel = fleet.channelTo('agent', held);
    const options = token === undefined ? {} : { accessToken: token };
    outcomes[column] = await outcomeOf(attemptAtAgent(name, channel, held, options));
    channel.close();
  }
  expect(outcomes).toEqual(expected);
});

it.each(libraryTable)('$name', async ({ name, expected }) => {
  const outcomes: Record<string, string> = {};
  for (const column of Object.keys(expected)) {
    const { held } = callers.get(column)!;
    const channel = fleet.channelTo('agent', held);
    outcomes[column] = await outcomeOf(libraryAttempts[name]!(attemptAt(fleet, namespaceId, held, channel)));
    channel.close();
  }
  expect(outcomes).toEqual(expected);
});

it('a revoked device gets no further token', async () => {
  const { held } = callers.get('revoked before its end')!;
  const { calls } = attemptAt(fleet, namespaceId, held);
  expect(await outcomeOf(calls.account.issueAccessToken({ namespaceIds: [namespaceId] }))).toBe('revoked');
});

it('neither server serves the RPCs of the other', async () => {
  const { held } = fleet.metadata.administrator;
  const onAgent = fleet.channelTo('agent', held).service(AccessServiceService);
  const listing = onAgent.listAccounts({ pageSize: 0, pageToken: '' });
  const onMetadata = fleet.channelTo('metadata', held).service(blockMethods);
  const asking = collect(attempt('HasBlocks', onMetadata, namespaceId, streamOf(block)));
  for (const call of [listing, asking]) expect(await rejection(call)).toMatchObject({ code: 'UNIMPLEMENTED' });
});
