import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BoundedQueue } from '../../../../common/concurrency/bounded-queue.js';
import { itemToWire } from '../../../../common/feed/item-codec.js';
import type { DeviceIdentity } from '../../../../common/identity/identity.js';
import type { FeedPage } from '../../../../proto/gen/drystone/feed/v1/feed.js';
import { MemberRole } from '../../../../proto/gen/drystone/metadata/v1/access.js';
import type { PushRequest } from '../../../../proto/gen/drystone/feed/v1/feed.js';
import type { FindMissingRequest } from '../../../../proto/gen/drystone/metadata/v1/presence.js';
import { collect, rejection } from '../../../support/async-tools.js';
import { eventually } from '../../../support/eventually.js';
import type { TestCaller } from '../../../support/metadata/callers.js';
import { hashesNamed, itemAt, sampleAgent } from '../../../support/metadata/samples.js';
import { TestMetadata, type TestNamespace } from '../../../support/metadata/service.js';
import { temporaryDirectory } from '../../../support/temporary-directory.js';

const lisbon = sampleAgent('lisbon');
const REVOKED = { code: 'UNAUTHENTICATED', reason: 'IDENTITY_REVOKED' };
const UNKNOWN = { code: 'NOT_FOUND', reason: 'NAMESPACE_UNKNOWN' };

describe('what is taken away', () => {
  let metadata: TestMetadata;
  let namespace: TestNamespace;
  let ana: TestCaller<DeviceIdentity>;

  beforeEach(async () => {
    metadata = await TestMetadata.start();
    namespace = await metadata.namespace('shared', lisbon);
    ana = await metadata.asDevice('ana');
    await namespace.share('ana', MemberRole.EDITOR);
  });
  afterEach(() => metadata.stop());

  const revoke = (device = ana) => metadata.calls.access.revokeDevice({ deviceId: device.identity.deviceId });
  const commit = (path: string) => namespace.commit({ items: [itemToWire(itemAt(path))] });

  /** A subscription of a device: what it has heard, and how it ended. */
  async function subscribe(device: TestCaller): Promise<{ heard: string[]; ended: Promise<unknown> }> {
    const pages = device.calls.feed.subscribe({ namespaceId: namespace.id, afterCursor: 0n, replicaId: '' });
    const pathsOf = ({ entries }: FeedPage) => entries.map(({ item }) => item!.path);
    const first = await pages.next();
    const heard = first.done === true ? [] : pathsOf(first.value);
    const listen = async (): Promise<void> => {
      for await (const page of pages) heard.push(...pathsOf(page));
    };
    return { heard, ended: rejection(listen()) };
  }

  it('ends the subscription of a revoked device at once, and it hears nothing more', async () => {
    const other = await metadata.asDevice('ana');
    const [revoked, remaining] = [await subscribe(ana), await subscribe(other)];
    await revoke();
    await commit('secret');
    expect(await revoked.ended).toMatchObject(REVOKED);
    expect(revoked.heard).toEqual([]);
    await eventually(() => remaining.heard).toEqual(['secret']);
  });

  it('ends the subscription of an idle feed too', async () => {
    const { ended } = await subscribe(ana);
    await revoke();
    expect(await ended).toMatchObject(REVOKED);
    await eventually(() => metadata.metric('drystone_metadata_feed_subscribers')).toBe(0);
  });

  it('ends the subscription of an account that is a member no longer, and only that', async () => {
    const other = await metadata.namespace('other');
    await other.share('ana', MemberRole.READER);
    const { heard, ended } = await subscribe(ana);
    await namespace.unshare('ana');
    await commit('secret');
    expect(await ended).toMatchObject(UNKNOWN);
    expect(heard).toEqual([]);
    const request = { namespaceId: other.id, afterCursor: 0n, pageSize: 0, pathPrefix: '' };
    await ana.calls.feed.readFeed(request);
  });

  it('leaves a subscription alone when something else is taken away', async () => {
    const other = await metadata.asDevice('ben');
    const { heard } = await subscribe(ana);
    await revoke(other);
    await namespace.share('ana', MemberRole.READER);
    await commit('a');
    await eventually(() => heard).toEqual(['a']);
  });

  it('lets a revoked device begin nothing', async () => {
    await revoke();
    const { account, admin, feed } = ana.calls;
    const request = { namespaceId: namespace.id, afterCursor: 0n, pageSize: 0, pathPrefix: '' };
    await expect(account.getAssignments({ namespaceName: '' })).rejects.toMatchObject(REVOKED);
    await expect(account.issueAccessToken({ namespaceIds: [namespace.id] })).rejects.toMatchObject(REVOKED);
    await expect(admin.getNamespace({ name: 'shared' })).rejects.toMatchObject(REVOKED);
    await expect(feed.readFeed(request)).rejects.toMatchObject(REVOKED);
    await expect(collect(feed.subscribe({ ...request, replicaId: '' }))).rejects.toMatchObject(REVOKED);
  });

  it('takes a device that it does not know for revoked, though the CA has certified it', async () => {
    const dataDir = temporaryDirectory();
    const before = await TestMetadata.start({ dataDir });
    const { held } = await before.asDevice('ben');
    await before.stop();
    const after = await TestMetadata.start({ dataDir });
    const refused = after.enrollment.callerOf(held).calls.account.getAssignments({ namespaceName: '' });
    await expect(refused).rejects.toMatchObject(REVOKED);
    await after.stop();
  });

  it('refuses the next commit of an open stream', async () => {
    const requests = new BoundedQueue<PushRequest>(10);
    const answers = ana.calls.feed.push(requests);
    const request = (path: string): PushRequest => {
      const item = { ...itemToWire(itemAt(path)), authorDeviceId: ana.identity.deviceId };
      return { namespaceId: namespace.id, items: [item], receipts: [], endorsement: undefined };
    };
    void requests.push(request('a'));
    await answers.next();
    await revoke();
    void requests.push(request('b'));
    await expect(answers.next()).rejects.toMatchObject(REVOKED);
  });

  it('refuses the next question of an open stream, and of a member who may only read', async () => {
    const requests = new BoundedQueue<FindMissingRequest>(10);
    const answers = ana.calls.presence.findMissing(requests);
    const request = { namespaceId: namespace.id, targetAgentId: lisbon.id, hashes: hashesNamed('a') };
    void requests.push(request);
    await answers.next();
    await namespace.share('ana', MemberRole.READER);
    void requests.push(request);
    await expect(answers.next()).rejects.toMatchObject({ code: 'PERMISSION_DENIED', reason: 'ROLE_INSUFFICIENT' });
  });

  it('ends a watch of assignments when its device is revoked', async () => {
    const watch = ana.calls.account.watchAssignments({ namespaceName: '' });
    await watch.next();
    const ended = rejection(watch.next());
    await revoke();
    expect(await ended).toMatchObject(REVOKED);
  });

  it('ends a watch of the assignment of one namespace when the account is a member no longer', async () => {
    const watch = ana.calls.account.watchAssignments({ namespaceName: 'shared' });
    await watch.next();
    const ended = rejection(watch.next());
    await namespace.unshare('ana');
    expect(await ended).toMatchObject(UNKNOWN);
  });

  it('takes an agent out of the fleet: its stream, its assignments, its place in the list', async () => {
    const line = await metadata.online(lisbon);
    const online = () => metadata.metric('drystone_metadata_agents{state="online"}');
    const before = await online();
    await metadata.calls.access.revokeAgent({ agentId: lisbon.id });
    expect(await line.ended).toMatchObject(REVOKED);
    expect(await online()).toBe(before - 1);
    const agent = await metadata.asAgent(lisbon);
    const again = agent.calls.fleet.registerAgent({ address: 'lisbon.example:1', softwareVersion: '' });
    await expect(again).rejects.toMatchObject(REVOKED);
    const { namespace: shown } = await metadata.calls.admin.getNamespace({ name: 'shared' });
    expect(shown?.assignment?.candidates).toEqual([]);
    const { agents } = await metadata.calls.admin.listAgents({ pageSize: 0, pageToken: '' });
    expect(agents.map(({ agentId }) => agentId)).not.toContain(lisbon.id);
    const receipts = [namespace.receipt(lisbon, 'x')];
    await expect(namespace.commit({ receipts })).rejects.toMatchObject({ reason: 'AGENT_NOT_ASSIGNED' });
    // Revoking again says the same.
    await metadata.calls.access.revokeAgent({ agentId: lisbon.id });
  });

  it('places nothing on a revoked agent, though it was online a moment ago', async () => {
    await metadata.online(lisbon);
    await metadata.online(sampleAgent('porto', 'porto'));
    await metadata.calls.admin.createNamespace({ name: 'early', replicas: 3 });
    await metadata.calls.access.revokeAgent({ agentId: lisbon.id });
    const created = metadata.calls.admin.createNamespace({ name: 'late', replicas: 3 });
    await expect(created).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'AGENTS_TOO_FEW' });
  });
});
