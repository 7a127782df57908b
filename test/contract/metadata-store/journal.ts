import { describe, expect, it } from 'vitest';
import { settle } from '../../../common/feed/conflicts.js';
import { mergeItems, sameItem } from '../../../common/feed/merge.js';
import type { MetadataStore } from '../../../metadata/store/contract.js';
import {
  commitItems,
  feedOf,
  itemsOf,
  lisbon,
  other,
  porto,
  setAssignment,
  shared,
  storedAt,
  WHOLE_FEED,
} from '../../support/metadata/furnished-store.js';
import {
  auditEntry,
  contestedAt,
  deviceNamed,
  fileOf,
  hashesNamed,
  itemAt,
  namespaceIdNamed,
  newItem,
  sampleAgent,
} from '../../support/metadata/samples.js';
import { tracesOf } from './audit-log.js';

/** What a store promises of commits. */
export function describeJournal(open: () => Promise<MetadataStore>): void {
  describe('journal', () => {
    it('gives out dense cursors, in the order of the items and of the calls', async () => {
      const store = await open();
      const commits = ['a', 'b', 'c'].map((name) => commitItems(store, [itemAt(`${name}/1`), itemAt(`${name}/2`)]));
      const ends = (await Promise.all(commits)).map(({ feed }) => feed.cursor);
      expect(ends).toEqual([2, 4, 6]);
      expect(await feedOf(store)).toEqual(['1 a/1', '2 a/2', '3 b/1', '4 b/2', '5 c/1', '6 c/2']);
    });

    it('tells the audit log of what moves the feed, with it', async () => {
      const store = await open();
      const audit = auditEntry('commit.provisional', 'ana');
      const batches = [[itemAt('a', { ana: 1 }, fileOf('x'))], [itemAt('b')], [itemAt('b')], [itemAt('c')]];
      const log = await tracesOf(store, async () => {
        for (const items of batches)
          await store.journal.commit(shared.id, { items: items.map(newItem), stored: [], audit });
      });
      expect(log).toEqual(['commit.provisional ana', 'commit.provisional ana', 'feed', 'feed']);
    });

    it('keeps each namespace by itself', async () => {
      const store = await open();
      await commitItems(store, [itemAt('a'), itemAt('b')]);
      const elsewhere = await store.journal.commit(other.id, { items: [newItem(itemAt('a'))], stored: [] });
      expect(elsewhere.feed.cursor).toBe(1);
      expect(await feedOf(store)).toEqual(['1 a', '2 b']);
    });

    it('moves an item that changes to the end, and keeps its history', async () => {
      const store = await open();
      await commitItems(store, [itemAt('a'), itemAt('b'), itemAt('c')]);
      await commitItems(store, [itemAt('b', { ana: 2 }), itemAt('a', { ana: 1, ben: 1 })]);
      expect(await feedOf(store)).toEqual(['3 c', '4 b', '5 a']);
      expect(await store.stats()).toMatchObject({ journalEntries: 5 });
    });

    it('counts the items that are not deletions, and their bytes', async () => {
      const store = await open();
      const head = () => store.journal.feedHead(shared.id);
      expect(await head()).toEqual({ cursor: 0, itemCount: 0, itemBytes: 0 });
      const stored = [storedAt(lisbon, '1', '2', '3')];
      await commitItems(store, [itemAt('d'), itemAt('f', { ana: 1 }, fileOf('1', '2'))], stored);
      expect(await head()).toEqual({ cursor: 2, itemCount: 2, itemBytes: 20 });
      await commitItems(store, [itemAt('f', { ana: 2 }, fileOf('1', '2', '3'))]);
      expect(await head()).toEqual({ cursor: 3, itemCount: 2, itemBytes: 30 });
      await commitItems(store, [itemAt('f', { ana: 3 }, { kind: 'deletion' })]);
      expect(await head()).toEqual({ cursor: 4, itemCount: 1, itemBytes: 0 });
    });

    it('merges what was changed at the same time, says what came of it, and commits the rest', async () => {
      const store = await open();
      const held = itemAt('a', { ana: 1 }, fileOf('1'));
      await commitItems(store, [held], [storedAt(lisbon, '1', '2')]);
      const next = itemAt('a', { ben: 1 }, fileOf('2'));
      const { merged, feed } = await commitItems(store, [itemAt('b'), next, itemAt('c')]);
      const both = mergeItems(held, next);
      expect(both.rivals).toHaveLength(1);
      expect(merged).toMatchObject([{ index: 1, current: { cursor: 3 } }]);
      expect(sameItem(merged[0]!.current!.item, both)).toBe(true);
      expect(feed).toMatchObject({ cursor: 4, itemCount: 3 });
      expect(await feedOf(store)).toEqual(['2 b', '3 a', '4 c']);
      expect(sameItem((await itemsOf(store)).get('a')!, both)).toBe(true);
    });

    it('takes the same commit twice and moves nothing', async () => {
      const store = await open();
      const contested = contestedAt('a', ['ana', fileOf('1')], ['ben', fileOf('2')]);
      const first = await commitItems(store, [contested, itemAt('b')], [storedAt(lisbon, '1', '2')]);
      const again = await commitItems(store, [contested, itemAt('b')]);
      expect(again).toMatchObject({ feed: first.feed, merged: [], missing: Buffer.alloc(0) });
    });

    it('says what is held where a change was replaced since', async () => {
      const store = await open();
      await commitItems(store, [itemAt('a', { ana: 2 })]);
      const { merged, writes } = await commitItems(store, [itemAt('a', { ana: 1 }, { kind: 'deletion' })]);
      expect(merged).toMatchObject([{ index: 0, current: { cursor: 1, item: { content: { kind: 'directory' } } } }]);
      expect(writes).toEqual([]);
    });

    it('takes conflicted copies and what they settle together', async () => {
      const store = await open();
      const contested = contestedAt('a', ['ana', fileOf('1')], ['ben', fileOf('2')]);
      await commitItems(store, [contested], [storedAt(lisbon, '1', '2')]);
      const { copies, item } = settle(contested);
      expect(await commitItems(store, [...copies, item])).toMatchObject({
        merged: [],
        feed: { cursor: 3, itemCount: 2 },
      });
      expect(await feedOf(store)).toEqual([`2 ${copies[0]!.path}`, '3 a']);
      expect((await itemsOf(store)).get('a')?.rivals).toEqual([]);
      expect(await commitItems(store, [contested])).toMatchObject({ merged: [{ index: 0 }], feed: { cursor: 3 } });
    });

    it('takes of a device its own changes only', async () => {
      const store = await open();
      const batch = { items: [newItem(itemAt('a'))], stored: [] };
      const refused = await store.journal.commit(shared.id, { ...batch, committer: deviceNamed('ben') });
      expect(refused).toMatchObject({ feed: { cursor: 0 }, merged: [{ index: 0, current: undefined }] });
      const taken = await store.journal.commit(shared.id, { ...batch, committer: deviceNamed('ana') });
      expect(taken).toMatchObject({ feed: { cursor: 1 }, merged: [] });
    });

    it('commits nothing while a block is missing, and records what arrived all the same', async () => {
      const store = await open();
      const items = [itemAt('a', { ana: 1 }, fileOf('1', '2', '1', '3')), itemAt('b')];
      const refused = await commitItems(store, items, [storedAt(lisbon, '2')]);
      expect(Buffer.from(refused.missing)).toEqual(hashesNamed('1', '3'));
      expect(refused.feed.cursor).toBe(0);
      expect(await feedOf(store)).toEqual([]);
      await commitItems(store, items, [storedAt(porto, '1', '3')]);
      expect(await feedOf(store)).toEqual(['1 a', '2 b']);
    });

    it('needs the blocks of all states', async () => {
      const store = await open();
      const contested = contestedAt('a', ['ana', fileOf('1')], ['ben', fileOf('2')]);
      const refused = await commitItems(store, [contested], [storedAt(lisbon, '2')]);
      expect(Buffer.from(refused.missing)).toEqual(hashesNamed('1'));
      expect(await feedOf(store)).toEqual([]);
    });

    it('counts a block only where an assigned agent holds it, for this namespace', async () => {
      const store = await open();
      const file = itemAt('a', { ana: 1 }, fileOf('1'));
      await commitItems(store, [], [storedAt(porto, '1')]);
      await setAssignment(store, shared.id, lisbon);
      expect(Buffer.from((await commitItems(store, [file])).missing)).toEqual(hashesNamed('1'));
      const elsewhere = await store.journal.commit(other.id, { items: [newItem(file)], stored: [] });
      expect(Buffer.from(elsewhere.missing)).toEqual(hashesNamed('1'));
      await setAssignment(store, shared.id, porto);
      expect((await commitItems(store, [file])).missing).toHaveLength(0);
    });

    it('counts no block any more that only a revoked agent holds', async () => {
      const store = await open();
      const file = itemAt('a', { ana: 1 }, fileOf('1', '2'));
      await commitItems(store, [], [storedAt(lisbon, '1'), storedAt(porto, '1', '2')]);
      await store.directory.revokeAgent(porto.id, 5, auditEntry('agent.revoke', porto.id));
      expect(Buffer.from((await commitItems(store, [file])).missing)).toEqual(hashesNamed('2'));
    });

    it('changes nothing where a commit is refused', async () => {
      const store = await open();
      const stored = [storedAt(lisbon, '1'), storedAt(sampleAgent('stranger'), '1')];
      await expect(commitItems(store, [itemAt('a')], stored)).rejects.toMatchObject({ reason: 'AGENT_UNKNOWN' });
      expect(await store.stats()).toMatchObject({ presenceRows: 0, journalEntries: 0 });
      expect(await feedOf(store)).toEqual([]);
    });

    it('knows no namespace that was not made', async () => {
      const { journal } = await open();
      const nowhere = namespaceIdNamed('nowhere');
      const refusal = { code: 'NOT_FOUND', reason: 'NAMESPACE_UNKNOWN' };
      await expect(journal.commit(nowhere, { items: [], stored: [] })).rejects.toMatchObject(refusal);
      await expect(journal.feedHead(nowhere)).rejects.toMatchObject(refusal);
      await expect(journal.readFeed(nowhere, WHOLE_FEED)).rejects.toMatchObject(refusal);
    });
  });
}
