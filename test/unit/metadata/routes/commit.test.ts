import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { settle } from '../../../../common/feed/conflicts.js';
import { itemFromWire, itemToWire } from '../../../../common/feed/item-codec.js';
import type { Item } from '../../../../common/feed/item.js';
import { mergeItems } from '../../../../common/feed/merge.js';
import { feedLimits, metadataLimits, wireLimits } from '../../../../common/limits.js';
import { receiptToMessage } from '../../../../common/receipt-message.js';
import type { Receipt as WireReceipt } from '../../../../proto/gen/drystone/block/v1/block.js';
import type { Item as WireItem } from '../../../../proto/gen/drystone/feed/v1/feed.js';
import { MemberRole } from '../../../../proto/gen/drystone/metadata/v1/access.js';
import { collect, streamOf } from '../../../support/async-tools.js';
import { ManualClock } from '../../../support/manual-clock.js';
import {
  contestedAt,
  fileOf,
  hashesNamed,
  itemAt,
  namespaceIdNamed,
  receiptOf,
  sampleAgent,
} from '../../../support/metadata/samples.js';
import { TestMetadata, type TestNamespace } from '../../../support/metadata/service.js';

const foreign = namespaceIdNamed('foreign');
const START_MS = Date.now();
const lisbon = sampleAgent('lisbon');
const porto = sampleAgent('porto');

const wire = (...items: readonly Item[]): WireItem[] => items.map(itemToWire);
const file = (path: string, block: string): WireItem[] => wire(itemAt(path, { ana: 1 }, fileOf(block)));

describe('FeedService.Push', () => {
  let metadata: TestMetadata;
  let namespace: TestNamespace;
  let clock: ManualClock;

  beforeEach(async () => {
    clock = new ManualClock(START_MS);
    metadata = await TestMetadata.start({ clock });
    namespace = await metadata.namespace('shared', lisbon);
  });
  afterEach(() => metadata.stop());

  /** What the whole feed holds. */
  async function paths(): Promise<string[]> {
    const request = { namespaceId: namespace.id, afterCursor: 0n, pageSize: 0, pathPrefix: '' };
    return (await metadata.calls.feed.readFeed(request)).entries.map(({ item }) => item?.path ?? '');
  }

  it('answers each request in order, with the cursor after it', async () => {
    const requests = ['a', 'b', 'c'].map((path) => ({ items: wire(itemAt(path)) }));
    const answers = await namespace.commitAll(...requests);
    expect(answers.map(({ cursor }) => cursor)).toEqual([1n, 2n, 3n]);
    expect(await paths()).toEqual(['a', 'b', 'c']);
  });

  it('takes receipts with the items that need them, or before', async () => {
    await namespace.commit({ receipts: [namespace.receipt(lisbon, 'early')] });
    const receipts = [namespace.receipt(lisbon, 'x', 'y')];
    expect(await namespace.commit({ items: [...file('a', 'x'), ...file('b', 'early')], receipts })).toMatchObject({
      cursor: 2n,
      missingHashes: new Uint8Array(0),
    });
  });

  it('commits nothing whose blocks nobody uploaded, and names them', async () => {
    const answer = await namespace.commit({ items: [...file('a', 'nobody'), ...wire(itemAt('b'))] });
    expect(answer).toMatchObject({ cursor: 0n, missingHashes: hashesNamed('nobody') });
    expect(await paths()).toEqual([]);
  });

  it('returns what came of a change that somebody else made at the same time', async () => {
    const [first, second] = [itemAt('a', { ana: 1 }), itemAt('a', { ben: 1 }, fileOf('other'))];
    await namespace.commit({ items: wire(first) });
    const receipts = [namespace.receipt(lisbon, 'other')];
    const { cursor, merged } = await namespace.commit({ items: wire(itemAt('b'), second), receipts });
    expect(cursor).toBe(3n);
    const [both] = wire(mergeItems(first, second)).map((item) => metadata.authored(item));
    const rivals = both!.rivals.map((rival) => ({ ...rival, authorDeviceId: both!.authorDeviceId }));
    expect(merged).toEqual([{ index: 1, current: { cursor: 3n, item: { ...both!, rivals } } }]);
  });

  it('refuses a change from the future, names its path and changes nothing', async () => {
    const at = (wallMs: number): Item => ({ ...itemAt('early'), at: { wallMs, logical: 0 } });
    const latestMs = START_MS + feedLimits.changeAheadMs;
    const refusal = {
      code: 'FAILED_PRECONDITION',
      reason: 'CLOCK_AHEAD',
      message: expect.stringContaining('early') as string,
    };
    await expect(namespace.commit({ items: wire(itemAt('a'), at(latestMs + 1)) })).rejects.toMatchObject(refusal);
    const contested = contestedAt('early', ['ana', fileOf('1')], ['ben', { kind: 'directory' }]);
    const rivals = contested.rivals.map((rival) => ({ ...rival, at: at(latestMs + 1).at }));
    await expect(namespace.commit({ items: wire({ ...contested, rivals }) })).rejects.toMatchObject(refusal);
    expect(await paths()).toEqual([]);
    await namespace.commit({ items: wire(at(latestMs)) });
    expect(await paths()).toEqual(['early']);
  });

  it('lets anybody settle what others disagree about, and nobody make changes in their name', async () => {
    const receipts = [namespace.receipt(lisbon, '1', '2')];
    const [one, other] = [itemAt('a', { ana: 1 }, fileOf('1')), itemAt('a', { ben: 1 }, fileOf('2'))];
    await namespace.commitAll({ items: wire(one), receipts }, { items: wire(other) });
    const editor = await metadata.asDevice('ana');
    await namespace.share('ana', MemberRole.EDITOR);
    const read = { namespaceId: namespace.id, afterCursor: 0n, pageSize: 0, pathPrefix: '' };
    const [entry] = (await editor.calls.feed.readFeed(read)).entries;
    const { copies, item } = settle(itemFromWire('item', entry!.item!));
    const commit = (items: WireItem[]) =>
      collect(
        editor.calls.feed.push(streamOf({ namespaceId: namespace.id, items, receipts: [], endorsement: undefined })),
      );
    expect(await commit(wire(...copies))).toMatchObject([{ merged: [{ index: 0, current: undefined }] }]);
    expect(await commit(wire(...copies, item))).toMatchObject([{ cursor: 4n, merged: [] }]);
    expect(await paths()).toEqual([copies[0]!.path, 'a']);
  });

  const altered = (change: Partial<WireReceipt>) => ({ ...namespace.receipt(lisbon, 'x'), ...change });
  it.each<[what: string, receipt: () => WireReceipt]>([
    ['a forged signature', () => altered({ signature: Buffer.alloc(64, 1) })],
    ['a short signature', () => altered({ signature: Buffer.alloc(63) })],
    ['altered hashes', () => altered({ hashes: hashesNamed('y') })],
    ['an altered time', () => altered({ issuedAtMs: BigInt(START_MS - 1) })],
    ['the id of another agent', () => ({ ...namespace.receipt(porto, 'x'), agentId: lisbon.id })],
    ['another namespace than was signed', () => altered({ namespaceId: foreign })],
    ['another namespace', () => receiptToMessage(receiptOf(lisbon, foreign, hashesNamed('x'), START_MS))],
  ])('refuses a receipt with %s, and changes nothing', async (_what, receipt) => {
    const refused = namespace.commit({ items: file('a', 'x'), receipts: [namespace.receipt(lisbon, 'x'), receipt()] });
    await expect(refused).rejects.toMatchObject({ code: 'PERMISSION_DENIED', reason: 'RECEIPT_INVALID' });
    expect(await paths()).toEqual([]);
    expect(await metadata.metric('drystone_metadata_presence_rows')).toBe(0);
  });

  it.each<[what: string, issuedMs: number, isTaken: boolean]>([
    ['as old as one may be', -metadataLimits.receiptMaxAgeMs, true],
    ['older than that', -metadataLimits.receiptMaxAgeMs - 1, false],
    ['as far ahead of our clock as one may be', metadataLimits.receiptMaxSkewMs, true],
    ['further ahead than that', metadataLimits.receiptMaxSkewMs + 1, false],
  ])('looks at when a receipt was issued: %s', async (_what, issuedMs, isTaken) => {
    const issuedAtMs = clock.nowMs() + issuedMs;
    const receipt = receiptToMessage(receiptOf(lisbon, namespace.id, hashesNamed('x'), issuedAtMs));
    const sent = namespace.commit({ receipts: [receipt] });
    if (isTaken) await sent;
    else await expect(sent).rejects.toMatchObject({ reason: 'RECEIPT_INVALID' });
  });

  it('refuses receipts of agents that are not assigned, or not known', async () => {
    await metadata.register(porto);
    const refusal = { code: 'FAILED_PRECONDITION', reason: 'AGENT_NOT_ASSIGNED' };
    for (const agent of [porto, sampleAgent('stranger')]) {
      await expect(namespace.commit({ receipts: [namespace.receipt(agent, 'x')] })).rejects.toMatchObject(refusal);
    }
  });

  it('knows no namespace that was not made', async () => {
    const refused = namespace.commit({ namespaceId: namespaceIdNamed('nowhere'), items: wire(itemAt('a')) });
    await expect(refused).rejects.toMatchObject({ code: 'NOT_FOUND', reason: 'NAMESPACE_UNKNOWN' });
  });

  it.each([
    ['with a part that goes up', 'a/../b'],
    ['that goes up', '..'],
    ['with NUL', 'a\0b'],
    ['with an empty part', 'a//b'],
    ['with an empty end', 'a/'],
    ['that is absolute', '/a'],
    ['with a part that stays', './a'],
    ['that is empty', ''],
    ['that is not in NFC', 'e\u0301'],
    ['with a part that is too long', 'a'.repeat(256)],
    ['that is too long', `${'a/'.repeat(950)}b`],
  ])('refuses a path %s, names the field and changes nothing', async (_what, path) => {
    const items = [...wire(itemAt('fine')), { ...wire(itemAt('x'))[0]!, path }];
    const refusal = { code: 'INVALID_ARGUMENT', details: { field: 'items[1].path' } };
    await expect(namespace.commit({ items })).rejects.toMatchObject(refusal);
    expect(await paths()).toEqual([]);
  });

  it.each<[what: string, field: string, change: () => Parameters<TestNamespace['commit']>[0]]>([
    ['no namespace', 'namespace_id', () => ({ namespaceId: '' })],
    ['a path twice', 'items[1].path', () => ({ items: wire(itemAt('a'), itemAt('a', { ben: 1 })) })],
    ['too many items', 'items', () => ({ items: Array(wireLimits.itemsPerCommit + 1).fill(wire(itemAt('a'))[0]) })],
    ['too many receipts', 'receipts', () => ({ receipts: Array(wireLimits.receiptsPerCommit + 1).fill(altered({})) })],
    ['an odd packed list', 'receipts[0].hashes', () => ({ receipts: [altered({ hashes: Buffer.alloc(33) })] })],
    ['no content', 'items[0].content', () => ({ items: [{ ...wire(itemAt('a'))[0]!, content: undefined }] })],
    ['no version', 'items[0].version', () => ({ items: [{ ...wire(itemAt('a'))[0]!, version: undefined }] })],
  ])('refuses %s', async (_what, field, change) => {
    const refusal = { code: 'INVALID_ARGUMENT', details: { field } };
    await expect(namespace.commit(change())).rejects.toMatchObject(refusal);
  });

  it('refuses a namespace that changes in mid-stream', async () => {
    const elsewhere = await metadata.namespace('elsewhere');
    const refused = namespace.commitAll({ items: wire(itemAt('a')) }, { namespaceId: elsewhere.id });
    await expect(refused).rejects.toMatchObject({ details: { field: 'namespace_id' } });
  });

  it('begins nothing after a request that it refused', async () => {
    const bad = { items: [{ ...wire(itemAt('x'))[0]!, path: '..' }] };
    const requests = [{ items: wire(itemAt('first')) }, bad, { items: wire(itemAt('never')) }];
    await expect(namespace.commitAll(...requests)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await paths()).toEqual(['first']);
  });

  it('counts', async () => {
    expect(await metadata.metric('drystone_metadata_commit_items_total')).toBe(0);
    expect(await metadata.metric('drystone_metadata_commit_conflicts_total')).toBe(0);
    await namespace.commit({ items: wire(itemAt('a'), itemAt('b')), receipts: [namespace.receipt(lisbon, 'x')] });
    await namespace.commit({ items: file('a', 'x') });
    await namespace.commit({ items: wire(itemAt('a', { ben: 1 }, { kind: 'deletion' })) });
    await namespace.commit({ items: file('c', 'nobody') });
    expect(await metadata.metric('drystone_metadata_commit_items_total')).toBe(3);
    expect(await metadata.metric('drystone_metadata_commit_conflicts_total')).toBe(2);
    expect(await metadata.metric('drystone_metadata_commit_missing_blocks_total')).toBe(1);
    expect(await metadata.metric('drystone_metadata_commit_receipts_total')).toBe(1);
    expect(await metadata.metric('drystone_metadata_commit_seconds_count')).toBe(4);
  });

  it('answers an empty stream with nothing', async () => {
    expect(await collect(metadata.calls.feed.push(streamOf()))).toEqual([]);
  });
});
