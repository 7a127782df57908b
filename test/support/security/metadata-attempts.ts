import { createCertificateRequest } from '../../../common/identity/certificates.js';
import type { HeldIdentity } from '../../../common/identity/held-identity.js';
import type { NamespaceId } from '../../../common/ids.js';
import type { RpcChannel } from '../../../common/rpc/client.js';
import type { Item } from '../../../proto/gen/drystone/feed/v1/feed.js';
import { AccountRole, MemberRole } from '../../../proto/gen/drystone/metadata/v1/access.js';
import { AgentState } from '../../../proto/gen/drystone/metadata/v1/account.js';
import { collect, firstOf, streamOf } from '../async-tools.js';
import { metadataCalls, type MetadataCalls } from '../metadata/calls.js';
import { sampleAgent } from '../metadata/samples.js';
import { newKey } from '../trust/test-authority.js';
import type { FleetUnderAttack } from './fleet-under-attack.js';
import { libraryRpcs, rawMethod } from './rpcs.js';
import { changedBy } from '../feed/wire-change.js';

/** Somebody who tries something. */
export interface Attempt {
  readonly fleet: FleetUnderAttack;
  /** Of which it is tried: called `shared`, and on the fleet's agent. */
  readonly namespaceId: NamespaceId;
  readonly held: HeldIdentity | undefined;
  readonly channel: RpcChannel;
  readonly calls: MetadataCalls;
}

export type Attempted = (attempt: Attempt) => Promise<unknown>;

const SHARED = 'shared';
const page = { pageSize: 0, pageToken: '' };

let fresh = 0;
/** A name that nothing has yet. */
const freshName = (): string => `fresh-${++fresh}`;

/** An account that was just made. */
async function freshAccount({ metadata }: FleetUnderAttack): Promise<string> {
  const name = freshName();
  await metadata.calls.access.createAccount({ name, role: AccountRole.MEMBER });
  return name;
}

function accountOf({ held }: Attempt): string {
  return held?.identity.kind === 'device' ? held.identity.account : 'nobody';
}

function agentIdOf({ held }: Attempt): string {
  return held?.identity.kind === 'agent' ? held.identity.agentId : '0'.repeat(32);
}

const item = (authorDeviceId: string): Item => ({
  ...changedBy(authorDeviceId),
  path: freshName(),
  content: { $case: 'directory', value: {} },
  rivals: [],
});

/**
 * Every RPC of metadata, each in a call that succeeds for whoever may make it; those that are also for others than
 * administrators under their conditions once more, with these in brackets.
 */
export const metadataAttempts: Readonly<Record<string, Attempted>> = {
  'AccessService/CreateAccount': ({ calls }) =>
    calls.access.createAccount({ name: freshName(), role: AccountRole.MEMBER }),
  'AccessService/SetAccountRole': async ({ calls, fleet }) =>
    calls.access.setAccountRole({ name: await freshAccount(fleet), role: AccountRole.ADMINISTRATOR }),
  'AccessService/ListAccounts': ({ calls }) => calls.access.listAccounts(page),
  'AccessService/IssueAgentToken': ({ calls }) => calls.access.issueAgentToken({ premises: 'lisbon', validSeconds: 0 }),
  'AccessService/IssueDeviceToken': async ({ calls, fleet }) =>
    calls.access.issueDeviceToken({ account: await freshAccount(fleet), validSeconds: 0 }),
  'AccessService/IssueDeviceToken (own account)': (attempt) =>
    attempt.calls.access.issueDeviceToken({ account: accountOf(attempt), validSeconds: 0 }),
  'AccessService/ListDevices': ({ calls }) => calls.access.listDevices({ account: '', ...page }),
  'AccessService/ListDevices (own account)': (attempt) =>
    attempt.calls.access.listDevices({ account: accountOf(attempt), ...page }),
  'AccessService/RevokeDevice': async ({ calls, fleet }) =>
    calls.access.revokeDevice({ deviceId: (await fleet.device(freshName())).identity.deviceId }),
  'AccessService/RevokeDevice (own account)': async (attempt) => {
    const { identity } = await attempt.fleet.device(accountOf(attempt));
    return attempt.calls.access.revokeDevice({ deviceId: identity.deviceId });
  },
  'AccessService/RevokeAgent': async ({ calls, fleet }) => {
    const agent = sampleAgent(freshName());
    await fleet.metadata.asAgent(agent);
    return calls.access.revokeAgent({ agentId: agent.id });
  },
  'AccessService/ShareNamespace': async ({ calls, fleet }) =>
    calls.access.shareNamespace({
      namespaceName: SHARED,
      account: await freshAccount(fleet),
      role: MemberRole.READER,
    }),
  'AccessService/UnshareNamespace': async ({ calls, fleet }) =>
    calls.access.unshareNamespace({ namespaceName: SHARED, account: await freshAccount(fleet) }),
  'AccessService/UnshareNamespace (own account)': async (attempt) => {
    const { access } = attempt.fleet.metadata.calls;
    const account = accountOf(attempt);
    const { members } = await access.listMembers({ namespaceName: SHARED, ...page });
    await attempt.calls.access.unshareNamespace({ namespaceName: SHARED, account });
    const before = members.find((member) => member.account === account);
    if (before !== undefined) await access.shareNamespace({ namespaceName: SHARED, ...before });
  },
  'AccessService/ListMembers': ({ calls }) => calls.access.listMembers({ namespaceName: SHARED, ...page }),
  'AccessService/ListAuditEntries': ({ calls }) =>
    calls.access.listAuditEntries({ afterSequence: 0n, namespaceName: '', account: '', pageSize: 0 }),
  'AccessService/ListAuditEntries (a namespace)': ({ calls }) =>
    calls.access.listAuditEntries({ afterSequence: 0n, namespaceName: SHARED, account: '', pageSize: 0 }),

  'AccountService/GetAssignments': ({ calls }) => calls.account.getAssignments({ namespaceName: '' }),
  'AccountService/GetAssignments (a namespace)': ({ calls }) => calls.account.getAssignments({ namespaceName: SHARED }),
  'AccountService/WatchAssignments': ({ calls }) => firstOf(calls.account.watchAssignments({ namespaceName: '' })),
  'AccountService/WatchAssignments (a namespace)': ({ calls }) =>
    firstOf(calls.account.watchAssignments({ namespaceName: SHARED })),
  'AccountService/IssueAccessToken': ({ calls, namespaceId }) =>
    calls.account.issueAccessToken({ namespaceIds: [namespaceId] }),

  'AdminService/CreateNamespace': ({ calls }) => calls.admin.createNamespace({ name: freshName(), replicas: 1 }),
  'AdminService/GetNamespace': ({ calls }) => calls.admin.getNamespace({ name: SHARED }),
  'AdminService/ListNamespaces': ({ calls }) => calls.admin.listNamespaces(page),
  'AdminService/SetAssignment': ({ calls, fleet }) =>
    calls.admin.setAssignment({ namespaceName: SHARED, agentIds: [fleet.agentId] }),
  'AdminService/ListAgents': ({ calls }) => calls.admin.listAgents(page),

  'FeedService/Push': ({ calls, namespaceId, held }) => {
    const { identity } = held ?? {};
    const items = identity?.kind === 'device' ? [item(identity.deviceId)] : [];
    return collect(calls.feed.push(streamOf({ namespaceId, items, receipts: [], endorsement: undefined })));
  },

  'EnrollmentService/Enroll': async ({ calls, fleet }) => {
    const { token } = await fleet.metadata.calls.access.issueDeviceToken({
      account: await freshAccount(fleet),
      validSeconds: 0,
    });
    const { privateKey, id } = newKey();
    const account = token.split(':')[1];
    const identity = { kind: 'device', account, deviceId: id } as Parameters<typeof createCertificateRequest>[1];
    const certificateRequest = await createCertificateRequest(privateKey, identity);
    return calls.enrollment.enroll({ token, certificateRequest, displayName: '' });
  },
  'EnrollmentService/RenewCertificate': async ({ calls, held }) => {
    const certificateRequest =
      held === undefined ? Buffer.alloc(0) : await createCertificateRequest(held.privateKey, held.identity);
    return calls.enrollment.renewCertificate({ certificateRequest });
  },

  'FeedService/ReadFeed': ({ calls, namespaceId }) =>
    calls.feed.readFeed({ namespaceId, afterCursor: 0n, pageSize: 0, pathPrefix: '' }),
  'FeedService/Subscribe': ({ calls, namespaceId }) =>
    firstOf(calls.feed.subscribe({ namespaceId, afterCursor: 0n, replicaId: '' })),

  'FleetService/RegisterAgent': ({ calls }) =>
    calls.fleet.registerAgent({ address: 'lisbon.example:7421', softwareVersion: '1.0' }),
  'FleetService/Heartbeat': (attempt) => heartbeat(attempt, agentIdOf(attempt)),
  'FleetService/Heartbeat (another agent)': (attempt) => heartbeat(attempt, attempt.fleet.agentId),

  'LocatorService/Advertise': ({ calls, namespaceId }) =>
    calls.locator.advertise({ namespaceId, addresses: ['lisbon.example:7500'], cursor: 0n, premises: 'lisbon' }),
  'LocatorService/Locate': ({ calls, namespaceId }) =>
    calls.locator.locate({ namespaceId, hashes: Buffer.alloc(32, 7) }),

  'PresenceService/FindMissing': ({ calls, namespaceId, fleet }) =>
    collect(
      calls.presence.findMissing(streamOf({ namespaceId, targetAgentId: fleet.agentId, hashes: Buffer.alloc(32, 7) })),
    ),
};

async function heartbeat({ calls }: Attempt, agentId: string): Promise<unknown> {
  const report = { freeBytes: 1n, totalBytes: 2n, freeFloorBytes: 0n, blockCount: 0n, blockBytes: 0n };
  return firstOf(calls.fleet.heartbeat(streamOf({ agentId, state: AgentState.ONLINE, ...report })));
}

/** What every server serves beside its own: by the last parts of their paths. */
export const libraryAttempts: Readonly<Record<string, Attempted>> = Object.fromEntries(
  libraryRpcs.map((rpc): [string, Attempted] => {
    // An empty health request asks about the whole server. A reflection request asks for the list of services.
    const request = rpc.path.startsWith('/grpc.health.') ? Buffer.alloc(0) : Buffer.from([0x3a, 0x01, 0x2a]);
    const attempted: Attempted = async ({ channel }) => {
      const { call } = channel.service({ call: rawMethod(rpc) }) as Record<string, (input: unknown) => unknown>;
      if (!rpc.responseStream) return call!(request);
      return firstOf(call!(rpc.requestStream ? streamOf(request) : request) as AsyncIterable<unknown>);
    };
    return [rpc.path.slice(1), attempted];
  }),
);

/** As {@link Attempt}, over a connection to metadata of its own. */
export function attemptAt(
  fleet: FleetUnderAttack,
  namespaceId: NamespaceId,
  held: HeldIdentity | undefined,
  channel = fleet.channelTo('metadata', held),
): Attempt {
  return { fleet, namespaceId, held, channel, calls: metadataCalls(channel) };
}
