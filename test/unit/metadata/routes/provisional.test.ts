import type { KeyObject } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeWireItems, endorse } from '../../../../common/feed/endorsement.js';
import { itemToWire } from '../../../../common/feed/item-codec.js';
import { describeIdentity, type AgentIdentity, type DeviceIdentity } from '../../../../common/identity/identity.js';
import { feedLimits } from '../../../../common/limits.js';
import type { Endorsement, Item, PushRequest, PushResponse } from '../../../../proto/gen/drystone/feed/v1/feed.js';
import { MemberRole } from '../../../../proto/gen/drystone/metadata/v1/access.js';
import { collect, firstOf, streamOf } from '../../../support/async-tools.js';
import type { TestCaller } from '../../../support/metadata/callers.js';
import { contestedAt, fileOf, hashesNamed, itemAt, sampleAgent } from '../../../support/metadata/samples.js';
import { TestMetadata, type TestNamespace } from '../../../support/metadata/service.js';
import { newKey } from '../../../support/trust/test-authority.js';

const lisbon = sampleAgent('lisbon');
const porto = sampleAgent('porto', 'porto');
const AT_MS = 1_750_000_000_000;

describe('what agents may do in a namespace', () => {
  let metadata: TestMetadata;
  let namespace: TestNamespace;
  let agent: TestCaller<AgentIdentity>;
  let ana: TestCaller<DeviceIdentity>;

  beforeEach(async () => {
    metadata = await TestMetadata.start();
    namespace = await metadata.namespace('shared', lisbon);
    agent = await metadata.asAgent(lisbon);
    ana = await metadata.asDevice('ana');
    await namespace.share('ana', MemberRole.EDITOR);
  });
  afterEach(() => metadata.stop());

  const by = (device: TestCaller<DeviceIdentity>, ...paths: readonly string[]): Item[] =>
    paths.map((path) => ({ ...itemToWire(itemAt(path)), authorDeviceId: device.identity.deviceId }));

  function endorsed(items: readonly Item[], key: KeyObject = ana.held.privateKey): Endorsement {
    return endorse({ namespaceId: namespace.id, pushedAtMs: AT_MS, items: encodeWireItems(items) }, key);
  }

  async function push(caller: TestCaller, ...requests: readonly Partial<PushRequest>[]): Promise<PushResponse[]> {
    const nothing = { namespaceId: namespace.id, items: [], receipts: [], endorsement: undefined };
    return collect(caller.calls.feed.push(streamOf(...requests.map((request) => ({ ...nothing, ...request })))));
  }

  const read = (caller: TestCaller) =>
    caller.calls.feed.readFeed({ namespaceId: namespace.id, afterCursor: 0n, pageSize: 0, pathPrefix: '' });
  const subscribe = (caller: TestCaller) =>
    caller.calls.feed.subscribe({ namespaceId: namespace.id, afterCursor: 0n, replicaId: '' });
  const audited = async () => (await metadata.audit()).filter(({ action }) => action === 'commit.provisional');

  it('an agent reads the feed of a namespace that it holds, and of no other', async () => {
    await namespace.commit({ items: [itemToWire(itemAt('a'))] });
    expect((await read(agent)).entries.map(({ item }) => item?.path)).toEqual(['a']);
    expect((await firstOf(subscribe(agent)))?.entries).toHaveLength(1);
    const stranger = await metadata.asAgent(porto);
    const unknown = { code: 'NOT_FOUND', reason: 'NAMESPACE_UNKNOWN' };
    await expect(read(stranger)).rejects.toMatchObject(unknown);
    await expect(firstOf(subscribe(stranger))).rejects.toMatchObject(unknown);
    await expect(push(stranger, {})).rejects.toMatchObject(unknown);
  });

  it('an agent from which a namespace is taken is sent no more of it', async () => {
    const pages = subscribe(agent);
    await pages.next();
    await metadata.register(porto);
    await metadata.calls.admin.setAssignment({ namespaceName: 'shared', agentIds: [porto.id] });
    await expect(pages.next()).rejects.toMatchObject({ code: 'NOT_FOUND', reason: 'NAMESPACE_UNKNOWN' });
  });

  it('commits as the device that has endorsed it, and tells the audit log', async () => {
    const items = by(ana, 'a', 'b');
    expect(await push(agent, { items, endorsement: endorsed(items) })).toMatchObject([{ cursor: 2n, merged: [] }]);
    expect((await read(ana)).entries.map(({ item }) => item)).toEqual(items);
    expect(await audited()).toEqual([
      {
        sequence: expect.any(BigInt) as bigint,
        atMs: expect.any(BigInt) as bigint,
        actor: describeIdentity(agent.identity),
        action: 'commit.provisional',
        subject: ana.identity.deviceId,
        namespaceName: 'shared',
        facts: { items: '2', pushedAt: new Date(AT_MS).toISOString() },
      },
    ]);
  });

  it('says nothing of what says nothing new', async () => {
    const items = by(ana, 'a');
    await push(ana, { items });
    expect(await push(agent, { items, endorsement: endorsed(items) })).toMatchObject([{ cursor: 1n, merged: [] }]);
    expect(await audited()).toEqual([]);
  });

  it('takes receipts before the items that need them, from nobody in particular', async () => {
    const items = [{ ...itemToWire(itemAt('a', { ana: 1 }, fileOf('x'))), authorDeviceId: ana.identity.deviceId }];
    const endorsement = endorsed(items);
    expect(await push(agent, { items, endorsement })).toMatchObject([{ missingHashes: hashesNamed('x') }]);
    expect(await audited()).toEqual([]);
    const receipts = [namespace.receipt(lisbon, 'x')];
    const answers = await push(agent, { receipts }, { items, endorsement });
    expect(answers).toMatchObject([{ cursor: 0n }, { cursor: 1n, missingHashes: { length: 0 } }]);
  });

  it('takes no change that the endorsing device has not made', async () => {
    const contested = itemToWire(contestedAt('c', ['ana', fileOf()], ['ben', fileOf()]));
    const items = [...by(metadata.administrator, 'a'), ...by(ana, 'b'), contested];
    const [answer] = await push(agent, { items, endorsement: endorsed(items) });
    expect(answer?.merged.map(({ index, current }) => [index, current])).toEqual([
      [0, undefined],
      [2, undefined],
    ]);
  });

  const invalid = { code: 'PERMISSION_DENIED', reason: 'ENDORSEMENT_INVALID' };

  it.each<[string, () => Promise<Partial<PushRequest>> | Partial<PushRequest>, object]>([
    ['without an endorsement', () => ({ items: by(ana, 'a') }), { details: { field: 'endorsement' } }],
    [
      'with one and nothing endorsed',
      () => ({ endorsement: endorsed([]) }),
      { code: 'INVALID_ARGUMENT', details: { field: 'endorsement' } },
    ],
    ['of other items', () => ({ items: by(ana, 'a'), endorsement: endorsed(by(ana, 'b')) }), invalid],
    [
      'of a device that nobody knows',
      () => ({ items: by(ana, 'a'), endorsement: endorsed(by(ana, 'a'), newKey().privateKey) }),
      invalid,
    ],
    [
      'of a device that was revoked since',
      async () => {
        await metadata.calls.access.revokeDevice({ deviceId: ana.identity.deviceId });
        return { items: by(ana, 'a'), endorsement: endorsed(by(ana, 'a')) };
      },
      invalid,
    ],
    [
      'of somebody who may only read by now',
      async () => {
        await namespace.share('ana', MemberRole.READER);
        return { items: by(ana, 'a'), endorsement: endorsed(by(ana, 'a')) };
      },
      { code: 'PERMISSION_DENIED', reason: 'ROLE_INSUFFICIENT' },
    ],
    [
      'of somebody who is no member any more',
      async () => {
        await namespace.unshare('ana');
        return { items: by(ana, 'a'), endorsement: endorsed(by(ana, 'a')) };
      },
      { code: 'PERMISSION_DENIED', reason: 'ROLE_INSUFFICIENT' },
    ],
    [
      'of the future',
      () => {
        const changedAt = { wallMs: BigInt(Date.now() + 2 * feedLimits.changeAheadMs), logical: 0 };
        const items = by(ana, 'a').map((item) => ({ ...item, changedAt }));
        return { items, endorsement: endorsed(items) };
      },
      { code: 'FAILED_PRECONDITION', reason: 'CLOCK_AHEAD' },
    ],
  ])('commits nothing %s', async (_, request, refusal) => {
    await expect(push(agent, await request())).rejects.toMatchObject(refusal);
    expect((await read(metadata.administrator)).entries).toEqual([]);
    expect(await audited()).toEqual([]);
  });

  it('a device speaks for itself alone', async () => {
    const items = by(ana, 'a');
    const refusal = { code: 'INVALID_ARGUMENT', details: { field: 'endorsement' } };
    await expect(push(ana, { items, endorsement: endorsed(items) })).rejects.toMatchObject(refusal);
  });

  it('an agent that was revoked is refused in the stream that it has open', async () => {
    const pages = subscribe(agent);
    await pages.next();
    await metadata.calls.access.revokeAgent({ agentId: lisbon.id });
    await expect(pages.next()).rejects.toMatchObject({ code: 'UNAUTHENTICATED', reason: 'IDENTITY_REVOKED' });
    await expect(push(agent, {})).rejects.toMatchObject({ reason: 'IDENTITY_REVOKED' });
  });
});
