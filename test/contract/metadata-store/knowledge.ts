import { describe, expect, it } from 'vitest';
import { metadataLimits } from '../../../common/limits.js';
import type { MetadataStore } from '../../../metadata/store/contract.js';
import { commitItems, feedOf, other, shared, WHOLE_FEED } from '../../support/metadata/furnished-store.js';
import { cursor, itemAt, replicaNamed, sampleNamespace, SAMPLE_TIME_MS } from '../../support/metadata/samples.js';

const DELETION = { kind: 'deletion' } as const;
const [laptop, phone] = [replicaNamed('laptop'), replicaNamed('phone')];
const { tombstoneAgeMs, tombstoneKeptMs, replicaNotedMs, tombstonesPerStep } = metadataLimits;

/** The path was made, and then deleted: two entries of the journal, of which the second is in the feed. */
async function makeDeleted(store: MetadataStore, ...paths: readonly string[]): Promise<void> {
  await commitItems(
    store,
    paths.map((path) => itemAt(path)),
  );
  await commitItems(
    store,
    paths.map((path) => itemAt(path, { ana: 2 }, DELETION)),
  );
}

/** What a store promises of how far replicas have seen a feed, and of what it forgets. */
export function describeKnowledge(open: () => Promise<MetadataStore>): void {
  describe('knowledge', () => {
    it('is kept of each replica and namespace, as it was said last', async () => {
      const store = await open();
      await commitItems(store, [itemAt('a'), itemAt('b')]);
      await store.knowledge.note(shared.id, phone, cursor(2), SAMPLE_TIME_MS);
      await store.knowledge.note(shared.id, laptop, cursor(2), SAMPLE_TIME_MS);
      await store.knowledge.note(shared.id, laptop, cursor(1), SAMPLE_TIME_MS + 1);
      await store.knowledge.note(other.id, laptop, cursor(0), SAMPLE_TIME_MS);
      const rows = [
        { id: laptop, seen: 1, heardAtMs: SAMPLE_TIME_MS + 1 },
        { id: phone, seen: 2, heardAtMs: SAMPLE_TIME_MS },
      ];
      expect(await store.knowledge.list(shared.id)).toEqual(rows.sort((a, b) => (a.id < b.id ? -1 : 1)));
      expect(await store.stats()).toMatchObject({ replicas: 3 });
    });

    it('of what is known already is noted now and then', async () => {
      const store = await open();
      const heardAt = async (atMs: number): Promise<number | undefined> => {
        await store.knowledge.note(shared.id, laptop, cursor(0), SAMPLE_TIME_MS + atMs);
        return (await store.knowledge.list(shared.id))[0]?.heardAtMs;
      };
      expect(await heardAt(0)).toBe(SAMPLE_TIME_MS);
      expect(await heardAt(replicaNotedMs - 1)).toBe(SAMPLE_TIME_MS);
      expect(await heardAt(replicaNotedMs)).toBe(SAMPLE_TIME_MS + replicaNotedMs);
    });

    it('is refused of a feed that is not there, or does not go so far', async () => {
      const store = await open();
      const unknown = sampleNamespace('unknown').id;
      await expect(store.knowledge.note(unknown, laptop, cursor(0), 1)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(store.knowledge.note(shared.id, laptop, cursor(1), 1)).rejects.toMatchObject({
        reason: 'CURSOR_AHEAD',
      });
      await expect(store.knowledge.compact(unknown, 1)).rejects.toMatchObject({ reason: 'NAMESPACE_UNKNOWN' });
      expect(await store.knowledge.list(unknown)).toEqual([]);
      expect(await store.knowledge.list(shared.id)).toEqual([]);
    });
  });

  describe('forgetting', () => {
    const compact = async (store: MetadataStore, atMs: number): Promise<number> =>
      (await store.knowledge.compact(shared.id, SAMPLE_TIME_MS + atMs)).forgotten;

    it('takes deletions that all known replicas have seen, once they are old enough', async () => {
      const store = await open();
      await makeDeleted(store, 'gone');
      await commitItems(store, [itemAt('here')]);
      await store.knowledge.note(shared.id, laptop, cursor(2), SAMPLE_TIME_MS);
      await store.knowledge.note(shared.id, phone, cursor(1), SAMPLE_TIME_MS);
      expect(await store.stats()).toMatchObject({ tombstones: 1 });
      expect(await compact(store, 0), 'from now on its age is known').toBe(0);
      expect(await compact(store, tombstoneKeptMs), 'phone has not seen it').toBe(0);
      await store.knowledge.note(shared.id, phone, cursor(3), SAMPLE_TIME_MS);
      expect(await compact(store, tombstoneKeptMs - 1), 'it is too young').toBe(0);
      expect(await compact(store, tombstoneKeptMs)).toBe(1);
      expect(await feedOf(store)).toEqual(['3 here']);
      expect(await store.stats()).toMatchObject({ tombstones: 0, journalEntries: 3 });
      expect(await compact(store, tombstoneKeptMs), 'once').toBe(0);
    });

    it('takes deletions of an age that nobody has to hear of, whoever has not', async () => {
      const store = await open();
      await makeDeleted(store, 'gone');
      await store.knowledge.note(shared.id, laptop, cursor(1), SAMPLE_TIME_MS + tombstoneAgeMs);
      await compact(store, 0);
      expect(await compact(store, tombstoneAgeMs - 1)).toBe(0);
      expect(await compact(store, tombstoneAgeMs)).toBe(1);
    });

    it('waits for age alone where no replica is known', async () => {
      const store = await open();
      await makeDeleted(store, 'gone');
      await compact(store, 0);
      expect(await compact(store, tombstoneKeptMs)).toBe(0);
      expect(await compact(store, tombstoneAgeMs)).toBe(1);
    });

    it('keeps nothing for a replica that has not been heard of for as long', async () => {
      const store = await open();
      await store.knowledge.note(shared.id, phone, cursor(0), SAMPLE_TIME_MS);
      await makeDeleted(store, 'gone');
      await store.knowledge.note(shared.id, laptop, cursor(2), SAMPLE_TIME_MS + tombstoneAgeMs);
      await compact(store, tombstoneAgeMs);
      expect(await store.knowledge.list(shared.id)).toHaveLength(2);
      expect(await compact(store, tombstoneAgeMs + tombstoneKeptMs)).toBe(1);
      expect(await store.knowledge.list(shared.id)).toMatchObject([{ id: laptop }]);
    });

    it('says with every page how much is forgotten, and the feed still has an end', async () => {
      const store = await open();
      await commitItems(store, [itemAt('here')]);
      await makeDeleted(store, 'gone');
      expect(await store.journal.readFeed(shared.id, WHOLE_FEED)).not.toHaveProperty('forgottenThrough');
      await compact(store, 0);
      await compact(store, tombstoneAgeMs);
      const page = { nextCursor: 3, caughtUp: true, forgottenThrough: 3 };
      expect(await store.journal.readFeed(shared.id, WHOLE_FEED)).toMatchObject(page);
      expect(await store.journal.readFeed(shared.id, { ...WHOLE_FEED, after: cursor(1) })).toMatchObject(page);
      expect(await store.journal.readFeed(shared.id, { ...WHOLE_FEED, pathPrefix: 'here' })).toMatchObject(page);
      const first = await store.journal.readFeed(shared.id, { ...WHOLE_FEED, maxEntries: 1 });
      expect(first.entries).toHaveLength(1);
      expect(await store.journal.feedHead(shared.id)).toMatchObject({ cursor: 3, itemCount: 1 });
    });

    it('leaves a path as if nothing had ever been there', async () => {
      const store = await open();
      await makeDeleted(store, 'gone');
      await compact(store, 0);
      await compact(store, tombstoneAgeMs);
      const decision = await commitItems(store, [itemAt('gone', { ben: 1 })]);
      expect(decision).toMatchObject({ merged: [], writes: [{ cursor: 3, supersedes: undefined }] });
      expect(await feedOf(store)).toEqual(['3 gone']);
    });

    it('spares what is there again', async () => {
      const store = await open();
      await makeDeleted(store, 'back');
      await commitItems(store, [itemAt('back', { ana: 3 })]);
      expect(await store.stats()).toMatchObject({ tombstones: 0 });
      await compact(store, 0);
      expect(await compact(store, tombstoneAgeMs)).toBe(0);
      expect(await feedOf(store)).toEqual(['3 back']);
    });

    it('goes on in steps', async () => {
      const store = await open();
      const paths = Array.from({ length: 600 }, (_, index) => `path ${String(index).padStart(4, '0')}`);
      await makeDeleted(store, ...paths);
      await makeDeleted(store, ...paths.map((path) => `${path} more`));
      await compact(store, 0);
      const step = (): Promise<unknown> => store.knowledge.compact(shared.id, SAMPLE_TIME_MS + tombstoneAgeMs);
      expect(await step()).toEqual({ forgotten: tombstonesPerStep, isDone: false });
      expect(await step()).toEqual({ forgotten: 1200 - tombstonesPerStep, isDone: true });
      expect(await feedOf(store)).toEqual([]);
    });
  });

  describe('open conflicts', () => {
    it('are counted until they are settled', async () => {
      const store = await open();
      await commitItems(store, [itemAt('a', { ana: 1 }, { kind: 'symlink', target: 'x' })]);
      await commitItems(store, [itemAt('a', { ben: 1 }, { kind: 'symlink', target: 'y' })]);
      expect(await store.stats()).toMatchObject({ openConflicts: 1 });
      await commitItems(store, [itemAt('a', { ana: 1, ben: 2 }, { kind: 'symlink', target: 'z' })]);
      expect(await store.stats()).toMatchObject({ openConflicts: 0 });
    });
  });
}
