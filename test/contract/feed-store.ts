import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FeedStore } from '../../agent/feed/feed-store.js';
import { decodeItem } from '../../common/feed/item-codec.js';
import type { FeedHistory } from '../../common/feed/feed-history.js';
import type { Item, ItemPath } from '../../common/feed/item.js';
import { mergeItems } from '../../common/feed/merge.js';
import type { NamespaceId } from '../../common/ids.js';
import { agentLimits, wireLimits } from '../../common/limits.js';
import { emptyLog, feedOf, other, pushOf, shared } from '../support/agent/feed-samples.js';
import { WHOLE_FEED } from '../support/metadata/furnished-store.js';
import { contestedAt, cursor, deviceNamed, fileOf, itemAt, newItem } from '../support/metadata/samples.js';

const deletion = { kind: 'deletion' } as const;

/** What the feed store of an agent promises, whatever keeps it. */
export function describeFeedStore(name: string, open: () => Promise<FeedStore>): void {
  describe(name, () => {
    let store: FeedStore;
    let moves: string[];

    beforeEach(async () => {
      store = await open();
      moves = [];
      store.onMoved((namespaceId, end) => moves.push(`${namespaceId === shared ? 'shared' : 'other'} ${end}`));
    });
    afterEach(() => store.close());

    const follow = (followed: number, items: readonly Item[], namespaceId: NamespaceId = shared) =>
      store.follow(namespaceId, { items: items.map(newItem), followed: cursor(followed) });
    const push = (...items: readonly Item[]) => store.push(shared, pushOf(items));

    it('is empty where nothing was written', async () => {
      expect(await store.feedHead(shared)).toMatchObject({ cursor: 0 });
      expect(await store.readFeed(shared, WHOLE_FEED)).toEqual({ entries: [], nextCursor: 0, caughtUp: true });
      expect(await store.firstProvisional(shared)).toBeUndefined();
      expect(await store.namespaces()).toEqual([]);
      expect(await store.stats()).toEqual({ namespaces: 0, items: 0, provisionalMessages: 0 });
    });

    it("merges metadata's feed, in an order of its own, and notes how far", async () => {
      await follow(7, [itemAt('a', { ana: 1 }, fileOf('x')), itemAt('b')]);
      expect(await feedOf(store, shared)).toEqual(['1 a', '2 b']);
      await follow(9, [itemAt('a', { ana: 2 }, fileOf('y', 'z'))]);
      expect(await feedOf(store, shared)).toEqual(['2 b', '3 a']);
      expect(await store.progress(shared)).toMatchObject({
        feed: { cursor: 3, itemCount: 2, itemBytes: 20 },
        followed: 9,
        waiting: 0,
      });
      expect(moves).toEqual(['shared 2', 'shared 3']);
    });

    it('moves nothing for what says nothing new, and notes how far all the same', async () => {
      await follow(2, [itemAt('a'), itemAt('b', { ana: 2 })]);
      await follow(4, [itemAt('a'), itemAt('b')]);
      expect(await store.progress(shared)).toMatchObject({ feed: { cursor: 2 }, followed: 4 });
      expect(moves).toEqual(['shared 2']);
    });

    it("joins what was pushed here with what metadata's feed says", async () => {
      const [here, there] = [
        contestedAt('a', ['ana', fileOf('x')]),
        { ...contestedAt('a', ['ben', fileOf('y')]) },
      ] as const;
      await push(here);
      await follow(1, [there]);
      const { entries } = await store.readFeed(shared, WHOLE_FEED);
      expect(entries.map(({ item }) => decodeItem(item))).toEqual([mergeItems(here, there)]);
    });

    it("takes metadata's word where both together would be no item any more", async () => {
      const names = Array.from({ length: wireLimits.rivalsPerItem + 1 }, (_, index) => `device-${index}`);
      const full = contestedAt('a', ...names.map((name) => [name, fileOf(name)] as const));
      await push(contestedAt('a', ['ana', fileOf('x')]));
      await follow(1, [full]);
      const { entries } = await store.readFeed(shared, WHOLE_FEED);
      expect(entries.map(({ item }) => decodeItem(item))).toEqual([full]);
    });

    it('keeps what is pushed, as it is to be passed on, in the order in which it came', async () => {
      const answers = await Promise.all([push(itemAt('a'), itemAt('b')), push(itemAt('c'))]);
      expect(answers.map(({ feed }) => feed.cursor)).toEqual([2, 3]);
      const first = await store.firstProvisional(shared);
      expect(first).toEqual({ sequence: 1, message: expect.anything() as Uint8Array });
      expect(Buffer.from(first!.message)).toEqual(Buffer.from(pushOf([itemAt('a'), itemAt('b')]).message));
      expect(await store.stats()).toEqual({ namespaces: 1, items: 3, provisionalMessages: 2 });
      expect(await emptyLog(store, shared)).toEqual([['a', 'b'], ['c']]);
      expect(await store.stats()).toMatchObject({ items: 3, provisionalMessages: 0 });
      expect(await store.progress(shared)).toMatchObject({ logged: 2, waiting: 0, waitingBytes: 0 });
      await push(itemAt('d'));
      expect(await store.firstProvisional(shared)).toMatchObject({ sequence: 3 });
    });

    it('keeps no message twice, and none that says what is known', async () => {
      await follow(1, [itemAt('a')]);
      await push(itemAt('b'));
      const answer = await push(itemAt('a'), itemAt('b'));
      expect(answer).toMatchObject({ feed: { cursor: 2 }, merged: [], writes: [] });
      expect(await emptyLog(store, shared)).toEqual([['b']]);
    });

    it('takes no change that is not of the device that pushes', async () => {
      const answer = await store.push(shared, pushOf([itemAt('a')], deviceNamed('ben')));
      expect(answer).toMatchObject({ merged: [{ index: 0, current: undefined }], writes: [] });
      expect(await store.firstProvisional(shared)).toBeUndefined();
    });

    it('refuses, and keeps nothing of it, where too much waits', async () => {
      const { message, batch } = pushOf([itemAt('a')]);
      const large = { batch, message: Buffer.concat([message], agentLimits.provisionalBytes / 2 + 1) };
      await store.push(shared, large);
      const refusal = { code: 'RESOURCE_EXHAUSTED', details: { retryAfterMs: agentLimits.provisionalRetryMs } };
      const next = { batch: pushOf([itemAt('b')]).batch, message: large.message };
      await expect(store.push(shared, next)).rejects.toMatchObject(refusal);
      expect(await feedOf(store, shared)).toEqual(['1 a']);
      await store.removeProvisional(shared, 1);
      await store.removeProvisional(shared, 1);
      expect(await store.progress(shared)).toMatchObject({ waiting: 0, waitingBytes: 0 });
      await store.push(shared, next);
    });

    it('reads in pages, and knows a cursor that is none of its own', async () => {
      await follow(
        3,
        ['a', 'b/c', 'b'].map((path) => itemAt(path)),
      );
      expect(await feedOf(store, shared, { after: cursor(1), maxEntries: 1 })).toEqual(['2 b/c']);
      expect(await store.readFeed(shared, { ...WHOLE_FEED, maxEntries: 2 })).toMatchObject({
        nextCursor: 2,
        caughtUp: false,
      });
      expect(await store.readFeed(shared, { ...WHOLE_FEED, maxEntries: 3 })).toMatchObject({ caughtUp: true });
      expect(await feedOf(store, shared, { maxBytes: 1 })).toEqual(['1 a']);
      expect(await feedOf(store, shared, { pathPrefix: 'b' })).toEqual(['2 b/c', '3 b']);
      const ahead = { code: 'OUT_OF_RANGE', reason: 'CURSOR_AHEAD' };
      await expect(store.readFeed(shared, { ...WHOLE_FEED, after: cursor(4) })).rejects.toMatchObject(ahead);
    });

    it('forgets what a feed that was read again from its beginning no longer has, but nothing that waits', async () => {
      await follow(3, [itemAt('a', { ana: 1 }, fileOf('x')), itemAt('b', { ana: 1 }, deletion), itemAt('c')]);
      await push(itemAt('d'));
      const onlyPaths = new Set(['c'] as ItemPath[]);
      await store.follow(shared, { items: [newItem(itemAt('c'))], followed: cursor(1), onlyPaths });
      expect(await feedOf(store, shared)).toEqual(['3 c', '4 d']);
      expect(await store.progress(shared)).toMatchObject({
        feed: { cursor: 4, itemCount: 2, itemBytes: 0 },
        followed: 1,
      });
      await follow(2, [itemAt('a', { ana: 2 })]);
      expect(await feedOf(store, shared)).toEqual(['3 c', '4 d', '5 a']);
    });

    it('says that a feed is at its end also where its last entry was forgotten', async () => {
      await follow(2, [itemAt('a'), itemAt('b')]);
      await store.follow(shared, { items: [], followed: cursor(1), onlyPaths: new Set(['a'] as ItemPath[]) });
      const page = await store.readFeed(shared, { ...WHOLE_FEED, maxEntries: 1 });
      expect(page).toMatchObject({ nextCursor: 2, caughtUp: true });
    });

    it('drops a namespace and nothing else, and goes on with the next number when it comes back', async () => {
      await follow(5, [itemAt('a', { ana: 1 }, fileOf('x')), itemAt('b')]);
      await push(itemAt('c'));
      await follow(2, [itemAt('a')], other);
      expect(await store.namespaces()).toEqual([shared, other].sort());
      await store.drop(shared);
      await store.drop(shared);
      expect(await store.namespaces()).toEqual([other]);
      expect(await store.firstProvisional(shared)).toBeUndefined();
      expect(await store.progress(shared)).toMatchObject({
        feed: { cursor: 3, itemCount: 0, itemBytes: 0 },
        followed: 0,
        waiting: 0,
        waitingBytes: 0,
      });
      expect(await feedOf(store, other)).toEqual(['1 a']);
      await follow(1, [itemAt('b')]);
      expect(await feedOf(store, shared)).toEqual(['4 b']);
    });

    it('gives all that it adds one history, which no other store has', async () => {
      const another = await open();
      const part = { items: [newItem(itemAt('a'))], followed: cursor(7) };
      await Promise.all([store.follow(shared, part), another.follow(shared, part)]);
      await push(itemAt('b'));
      const history = await store.historyOf(shared, cursor(1));
      expect(history).toMatch(/^[0-9a-f]{16}$/);
      expect(await store.historyOf(shared, cursor(2))).toBe(history);
      expect(await store.historyOf(shared, cursor(0))).toBeUndefined();
      expect(await another.historyOf(shared, cursor(1))).not.toBe(history);
      await store.drop(shared);
      expect(await store.historyOf(shared, cursor(2))).toBe(history);
      await another.close();
    });

    it("keeps the history of metadata's feed with how far that was followed", async () => {
      const followedHistory = 'a'.repeat(16) as FeedHistory;
      await store.follow(shared, { items: [], followed: cursor(7), followedHistory });
      await push(itemAt('b'));
      expect(await store.progress(shared)).toMatchObject({ followed: 7, followedHistory, waiting: 1 });
      await store.removeProvisional(shared, 1);
      expect(await store.progress(shared)).toMatchObject({ followedHistory, waiting: 0 });
      await store.follow(shared, { items: [], followed: cursor(8) });
      expect((await store.progress(shared)).followedHistory).toBeUndefined();
    });

    it('lets nobody in after it was closed', async () => {
      await store.close();
      await expect(store.feedHead(shared)).rejects.toMatchObject({ code: 'UNAVAILABLE', reason: 'DRAINING' });
    });
  });
}
