import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadIdentity } from '../../../../common/identity/identity-files.js';
import type { DeviceIdentity } from '../../../../common/identity/identity.js';
import type { NamespaceId } from '../../../../common/ids.js';
import type { RunningProgram } from '../../../../common/program/context.js';
import { openChannel } from '../../../../common/rpc/client.js';
import type { ServiceCaller } from '../../../../common/rpc/method-types.js';
import { FeedServiceService, type Item, type PushRequest } from '../../../../proto/gen/drystone/feed/v1/feed.js';
import { MemberRole } from '../../../../proto/gen/drystone/metadata/v1/access.js';
import {
  agentConfig,
  callBlocks,
  joiningConfig,
  programContext,
  putBlocks,
  runAgent,
  runMetadata,
  tokensFrom,
} from '../../../support/agent/agent-under-test.js';
import { directoriesOf, endorsedPush } from '../../../support/agent/endorsed-push.js';
import { collect, streamOf } from '../../../support/async-tools.js';
import { agentIdOf } from '../../../support/blocks/block-fleet.js';
import { metricOf } from '../../../support/blocks/block-server.js';
import { blockOf } from '../../../support/blocks/sample-blocks.js';
import { eventually } from '../../../support/eventually.js';
import { changedBy } from '../../../support/feed/wire-change.js';
import type { TestCaller } from '../../../support/metadata/callers.js';
import { sampleAgent } from '../../../support/metadata/samples.js';
import type { TestMetadata } from '../../../support/metadata/service.js';
import { temporaryDirectory } from '../../../support/temporary-directory.js';
import { waitUntil } from '../../../support/wait-until.js';

type FeedCalls = ServiceCaller<typeof FeedServiceService>;

describe("an agent's feeds", () => {
  let metadata: TestMetadata;
  let metadataDir: string;
  let agentDir: string;
  let registry: Registry;
  let agent: RunningProgram;
  let ana: TestCaller<DeviceIdentity>;
  let namespaceId: NamespaceId;
  /** Ana's token; metadata may be away when it is needed. */
  let accessToken: string;

  beforeEach(async () => {
    [metadataDir, agentDir] = [temporaryDirectory(), temporaryDirectory()];
    metadata = await runMetadata({ dataDir: metadataDir, engine: 'lmdb' });
    registry = new Registry();
    agent = await runAgent(await joiningConfig(metadata, agentDir), programContext({ registry }));
    const made = await waitUntil('the agent is online', () =>
      metadata.calls.admin.createNamespace({ name: 'shared', replicas: 1 }),
    );
    namespaceId = made.namespace!.namespaceId as NamespaceId;
    ana = await metadata.asDevice('ana');
    await metadata.calls.access.shareNamespace({
      namespaceName: 'shared',
      account: 'ana',
      role: MemberRole.EDITOR,
    });
    accessToken = await tokensFrom(ana)(namespaceId);
  });

  async function feedAt(server: RunningProgram, caller: TestCaller = ana): Promise<FeedCalls> {
    const agentId = agentIdOf((await loadIdentity(agentDir, 'agent'))!);
    const channel = openChannel(server.address, caller.transport.channelTo(agentId));
    closing.push(() => channel.close());
    return channel.service(FeedServiceService);
  }
  const closing: (() => void)[] = [];
  afterEach(() => closing.splice(0).forEach((close) => close()));

  const everything = () => ({ namespaceId, afterCursor: 0n, pageSize: 0, pathPrefix: '' });
  const pathsAt = async (calls: FeedCalls) =>
    (await calls.readFeed(everything(), { accessToken })).entries.map(({ item }) => item?.path);
  const committed = async ({ calls }: TestMetadata) =>
    (await calls.feed.readFeed(everything())).entries.map(({ item }) => item?.path);
  const pushTo = (calls: FeedCalls, ...requests: readonly PushRequest[]) =>
    collect(calls.push(streamOf(...requests), { accessToken }));
  const metric = (series: string) => metricOf(registry, `drystone_agent_feed_${series}`);

  async function commit(...paths: readonly string[]): Promise<void> {
    const items = directoriesOf(ana.held, ...paths);
    await collect(ana.calls.feed.push(streamOf({ namespaceId, items, receipts: [], endorsement: undefined })));
  }

  function fileOf(path: string, content: string): Item {
    const { hash, data } = blockOf(content);
    const blocks = { hashes: Buffer.from(hash), sizes: [data.length] };
    const value = { size: BigInt(data.length), modifiedAtMs: 0n, executable: false, blocks };
    return { ...changedBy(ana.identity.deviceId), path, content: { $case: 'file', value } };
  }

  it('are those of metadata, and go on with them', async () => {
    await commit('a', 'b');
    const calls = await feedAt(agent);
    await eventually(() => pathsAt(calls)).toEqual(['a', 'b']);
    const pages = calls.subscribe({ namespaceId, afterCursor: 2n, replicaId: '' }, { accessToken });
    expect((await pages.next()).value).toMatchObject({ entries: [], caughtUp: true });
    const next = pages.next();
    await commit('c');
    expect((await next).value?.entries.map(({ item }) => item?.path)).toEqual(['c']);
    await pages.return();
    expect(await metric('namespaces')).toBe(1);
    expect(await metric('items')).toBe(3);
  });

  it('take what a device pushes where the blocks are here, and pass it on with receipts for them', async () => {
    const calls = await feedAt(agent);
    const item = fileOf('file', 'stone');
    const [lacking] = await pushTo(calls, endorsedPush(namespaceId, ana.held, [item]));
    expect(lacking?.missingHashes).toEqual(Buffer.from(blockOf('stone').hash));
    expect(await pathsAt(calls)).toEqual([]);
    const blocks = await callBlocks(agent, agentDir, ana, async () => accessToken);
    await putBlocks(blocks, namespaceId, blockOf('stone'));
    const [taken] = await pushTo(calls, endorsedPush(namespaceId, ana.held, [item]));
    expect(taken).toMatchObject({ cursor: 1n, merged: [] });
    await eventually(() => committed(metadata)).toEqual(['file']);
    await eventually(() => metric('provisional_messages')).toBe(0);
    expect(await metric('relayed_total')).toBe(1);
    expect(await metric('pushes_total{outcome="taken"}')).toBe(1);
    expect(await metric('pushes_total{outcome="missing_blocks"}')).toBe(1);
    // What comes back from metadata is known.
    expect(await pathsAt(calls)).toEqual(['file']);
    expect((await calls.readFeed(everything(), { accessToken })).nextCursor).toBe(1n);
  });

  it('keep what is pushed while metadata is away, through a restart, and pass it on in its order', async () => {
    const { address } = metadata.program;
    await metadata.stop();
    const before = await feedAt(agent);
    await pushTo(before, endorsedPush(namespaceId, ana.held, directoriesOf(ana.held, 'a', 'b')));
    await pushTo(before, endorsedPush(namespaceId, ana.held, directoriesOf(ana.held, 'c')));
    expect(await metric('provisional_messages')).toBe(2);
    await agent.stop();
    agent = await runAgent(agentConfig(agentDir, { metadata: address }), programContext());
    const calls = await feedAt(agent);
    expect(await pathsAt(calls)).toEqual(['a', 'b', 'c']);
    const again = await runMetadata({ dataDir: metadataDir, engine: 'lmdb', listen: address });
    const administrator = again.calls.access;
    await administrator.shareNamespace({
      namespaceName: 'shared',
      account: again.administrator.identity.account,
      role: MemberRole.OWNER,
    });
    await eventually(() => committed(again)).toEqual(['a', 'b', 'c']);
    const audit = (await again.audit()).filter(({ action }) => action === 'commit.provisional');
    expect(audit.map(({ subject, facts }) => [subject, facts.items])).toEqual([
      [ana.identity.deviceId, '2'],
      [ana.identity.deviceId, '1'],
    ]);
  });

  it('drop what metadata refuses for good, and go on with the next', async () => {
    const { address } = metadata.program;
    const mallory = await metadata.asDevice('mallory');
    const share = { namespaceName: 'shared', account: 'mallory', role: MemberRole.EDITOR };
    await metadata.calls.access.shareNamespace(share);
    const token = await tokensFrom(mallory)(namespaceId);
    await metadata.calls.access.revokeDevice({ deviceId: mallory.identity.deviceId });
    await metadata.stop();
    const request = endorsedPush(namespaceId, mallory.held, directoriesOf(mallory.held, 'evil'));
    await collect((await feedAt(agent, mallory)).push(streamOf(request), { accessToken: token }));
    await pushTo(await feedAt(agent), endorsedPush(namespaceId, ana.held, directoriesOf(ana.held, 'good')));
    const again = await runMetadata({ dataDir: metadataDir, engine: 'lmdb', listen: address });
    await eventually(() => metric('provisional_messages')).toBe(0);
    expect(await metric('refused_total')).toBe(1);
    expect(await metric('relayed_total')).toBe(1);
    const audit = (await again.audit()).filter(({ action }) => action === 'commit.provisional');
    expect(audit.map(({ subject }) => subject)).toEqual([ana.identity.deviceId]);
  });

  it.each<[string, (request: PushRequest, other: TestCaller) => PushRequest, object]>([
    [
      'without an endorsement',
      (request) => ({ ...request, endorsement: undefined }),
      { code: 'INVALID_ARGUMENT', details: { field: 'endorsement' } },
    ],
    [
      'that another device has endorsed',
      (request, other) => endorsedPush(namespaceId, other.held, request.items),
      { code: 'PERMISSION_DENIED', reason: 'ENDORSEMENT_INVALID' },
    ],
    [
      'that was endorsed for something else',
      (request) => ({ ...request, items: directoriesOf(ana.held, 'else') }),
      { code: 'PERMISSION_DENIED', reason: 'ENDORSEMENT_INVALID' },
    ],
    [
      'of a path that is none',
      (request) => ({ ...request, items: request.items.map((item) => ({ ...item, path: '..' })) }),
      { code: 'INVALID_ARGUMENT', details: { field: 'items[0].path' } },
    ],
  ])('take nothing %s', async (_, change, refusal) => {
    const calls = await feedAt(agent);
    const request = endorsedPush(namespaceId, ana.held, directoriesOf(ana.held, 'a'));
    await expect(pushTo(calls, change(request, metadata.administrator))).rejects.toMatchObject(refusal);
    expect(await pathsAt(calls)).toEqual([]);
    expect(await metric('provisional_messages')).toBe(0);
  });

  it('are gone where the namespace is taken from the agent', async () => {
    await commit('a');
    const calls = await feedAt(agent);
    await eventually(() => pathsAt(calls)).toEqual(['a']);
    const pages = calls.subscribe({ namespaceId, afterCursor: 0n, replicaId: '' }, { accessToken });
    await pages.next();
    const porto = sampleAgent('porto', 'porto');
    await metadata.register(porto);
    await metadata.calls.admin.setAssignment({ namespaceName: 'shared', agentIds: [porto.id] });
    const notHere = { code: 'NOT_FOUND', reason: 'NAMESPACE_NOT_ASSIGNED' };
    await expect(pages.next()).rejects.toMatchObject(notHere);
    await expect(pathsAt(calls)).rejects.toMatchObject(notHere);
    await eventually(() => metric('namespaces')).toBe(0);
  });
});
