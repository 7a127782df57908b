import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { itemToWire } from '../../../../common/feed/item-codec.js';
import type { DeviceIdentity } from '../../../../common/identity/identity.js';
import { MemberRole } from '../../../../proto/gen/drystone/metadata/v1/access.js';
import { collect, streamOf } from '../../../support/async-tools.js';
import type { TestCaller } from '../../../support/metadata/callers.js';
import { hashesNamed, itemAt, sampleAgent } from '../../../support/metadata/samples.js';
import { TestMetadata, type TestNamespace } from '../../../support/metadata/service.js';

const INSUFFICIENT = { code: 'PERMISSION_DENIED', reason: 'ROLE_INSUFFICIENT' };
const UNKNOWN = { code: 'NOT_FOUND', reason: 'NAMESPACE_UNKNOWN' };
const lisbon = sampleAgent('lisbon');

describe('roles', () => {
  let metadata: TestMetadata;
  let namespace: TestNamespace;
  let ana: TestCaller<DeviceIdentity>;

  beforeEach(async () => {
    metadata = await TestMetadata.start();
    namespace = await metadata.namespace('shared', lisbon);
    ana = await metadata.asDevice('ana');
  });
  afterEach(() => metadata.stop());

  type Attempt = (caller: TestCaller) => Promise<unknown>;

  /** What only a member of the role may do. */
  const attempts: Readonly<Record<string, readonly [needed: MemberRole, attempt: Attempt]>> = {
    'read the feed': [
      MemberRole.READER,
      ({ calls }) => calls.feed.readFeed({ namespaceId: namespace.id, afterCursor: 0n, pageSize: 0, pathPrefix: '' }),
    ],
    'subscribe to it': [
      MemberRole.READER,
      async ({ calls }) => {
        const pages = calls.feed.subscribe({ namespaceId: namespace.id, afterCursor: 0n, replicaId: '' });
        await pages.next();
        await pages.return();
      },
    ],
    'see the namespace': [MemberRole.READER, ({ calls }) => calls.admin.getNamespace({ name: 'shared' })],
    'see its assignment': [MemberRole.READER, ({ calls }) => calls.account.getAssignments({ namespaceName: 'shared' })],
    'see its members': [
      MemberRole.READER,
      ({ calls }) => calls.access.listMembers({ namespaceName: 'shared', pageSize: 0, pageToken: '' }),
    ],
    'have an access token': [
      MemberRole.READER,
      ({ calls }) => calls.account.issueAccessToken({ namespaceIds: [namespace.id] }),
    ],
    'ask what is missing': [
      MemberRole.EDITOR,
      ({ calls }) =>
        collect(
          calls.presence.findMissing(
            streamOf({ namespaceId: namespace.id, targetAgentId: '', hashes: hashesNamed('a') }),
          ),
        ),
    ],
    commit: [MemberRole.EDITOR, (caller) => commitAs(caller as TestCaller<DeviceIdentity>)],
    'read what is done in it': [
      MemberRole.OWNER,
      ({ calls }) =>
        calls.access.listAuditEntries({ afterSequence: 0n, namespaceName: 'shared', account: '', pageSize: 0 }),
    ],
    'share it': [
      MemberRole.OWNER,
      ({ calls }) => calls.access.shareNamespace({ namespaceName: 'shared', account: 'admin', role: MemberRole.OWNER }),
    ],
  };

  function commitAs({ calls, identity }: TestCaller<DeviceIdentity>, author: string = identity.deviceId) {
    const [own, other] = [identity.deviceId, author];
    const items = [own, other].map((authorDeviceId, index) => {
      return { ...itemToWire(itemAt(`file-${index}`)), authorDeviceId };
    });
    return collect(
      calls.feed.push(streamOf({ namespaceId: namespace.id, items, receipts: [], endorsement: undefined })),
    );
  }

  it.each(Object.entries(attempts))('decide who may %s', async (_what, [needed, attempt]) => {
    await expect(attempt(ana)).rejects.toMatchObject(UNKNOWN);
    for (const role of [MemberRole.READER, MemberRole.EDITOR, MemberRole.OWNER]) {
      await namespace.share('ana', role);
      if (role < needed) await expect(attempt(ana)).rejects.toMatchObject(INSUFFICIENT);
      else await attempt(ana);
    }
  });

  it('give an administrator no look into a namespace of which they are no member', async () => {
    await namespace.share('ana', MemberRole.OWNER);
    await namespace.unshare('admin');
    const { administrator } = metadata;
    for (const what of ['read the feed', 'subscribe to it', 'see its assignment', 'have an access token', 'commit']) {
      await expect(attempts[what]![1](administrator), what).rejects.toMatchObject(UNKNOWN);
    }
    for (const what of ['see the namespace', 'see its members', 'read what is done in it', 'share it']) {
      await attempts[what]![1](administrator);
    }
  });

  it.each<[what: string, attempt: Attempt]>([
    ['make a namespace', ({ calls }) => calls.admin.createNamespace({ name: 'mine', replicas: 1 })],
    ['say who holds it', ({ calls }) => calls.admin.setAssignment({ namespaceName: 'shared', agentIds: [lisbon.id] })],
    [
      'say who holds one that is not there',
      ({ calls }) => calls.admin.setAssignment({ namespaceName: 'nowhere', agentIds: [lisbon.id] }),
    ],
    ['see all agents', ({ calls }) => calls.admin.listAgents({ pageSize: 0, pageToken: '' })],
    [
      'read the whole audit log',
      ({ calls }) => calls.access.listAuditEntries({ afterSequence: 0n, namespaceName: '', account: '', pageSize: 0 }),
    ],
  ])('let no owner %s', async (_what, attempt) => {
    await namespace.share('ana', MemberRole.OWNER);
    await expect(attempt(ana)).rejects.toMatchObject(INSUFFICIENT);
  });

  it('let nobody commit in the name of another device', async () => {
    await namespace.share('ana', MemberRole.EDITOR);
    const other = await metadata.asDevice('ana');
    const refusal = { code: 'INVALID_ARGUMENT', details: { field: 'items[1].author_device_id' } };
    await expect(commitAs(ana, '')).rejects.toMatchObject(refusal);
    const [answer] = await commitAs(ana, other.identity.deviceId);
    expect(answer?.merged).toEqual([{ index: 1, current: undefined }]);
    const request = { namespaceId: namespace.id, afterCursor: 0n, pageSize: 0, pathPrefix: '' };
    const { entries } = await ana.calls.feed.readFeed(request);
    expect(entries.map(({ item }) => item?.path)).toEqual(['file-0']);
  });

  it('show to a member its namespaces alone, in every page and in what asks for the next', async () => {
    await metadata.online(lisbon);
    for (const name of ['a1', 'hidden', 'b2', 'c3', 'z-hidden']) {
      await metadata.calls.admin.createNamespace({ name, replicas: 1 });
      if (name.includes('hidden')) continue;
      const share = { namespaceName: name, account: 'ana', role: MemberRole.READER };
      await metadata.calls.access.shareNamespace(share);
    }
    const seen: string[] = [];
    let pageToken = '';
    do {
      const page = await ana.calls.admin.listNamespaces({ pageSize: 2, pageToken });
      seen.push(...page.namespaces.map(({ name }) => name), `then ${page.nextPageToken}`);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(seen).toEqual(['a1', 'b2', 'then b2', 'c3', 'then ']);
  });

  it('are of devices: an agent is none, and a device no agent', async () => {
    const agent = await metadata.asAgent(lisbon);
    // What an agent may read of the namespaces that it holds, and pass on, has tests of its own.
    const ofAgentsToo = ['read the feed', 'subscribe to it', 'commit'];
    for (const [what, [, attempt]] of Object.entries(attempts)) {
      if (!ofAgentsToo.includes(what)) await expect(attempt(agent), what).rejects.toMatchObject(INSUFFICIENT);
    }
    const registration = ana.calls.fleet.registerAgent({ address: 'ana.example:1', softwareVersion: '' });
    await expect(registration).rejects.toMatchObject(INSUFFICIENT);
  });
});
