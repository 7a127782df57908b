import { beforeEach, describe, expect, it } from 'vitest';
import { followFeed } from '../../../../agent/feed/follow-feed.js';
import { MemoryFeedStore } from '../../../../agent/feed/memory-feed-store.js';
import { DrystoneError } from '../../../../common/errors.js';
import { FakeFeed, pageOf } from '../../../support/agent/fake-feed.js';
import { emptyLog, feedOf, pushOf, shared } from '../../../support/agent/feed-samples.js';
import { cursor, itemAt, sampleAgent } from '../../../support/metadata/samples.js';

const { id: agentId } = sampleAgent('lisbon');
const away = new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'the line is cut');
const ahead = new DrystoneError('OUT_OF_RANGE', 'CURSOR_AHEAD', 'the cursor is beyond the end of the feed');
const deletion = { kind: 'deletion' } as const;

describe('who follows a feed', () => {
  let feed: FakeFeed;
  let store: MemoryFeedStore;
  let pagesHeard: number;

  beforeEach(() => {
    feed = new FakeFeed();
    store = new MemoryFeedStore();
    pagesHeard = 0;
  });

  /** Follows until the subscription ends, and returns the cursor that was asked for. */
  async function follow(breaks: DrystoneError | undefined, ...pages: FakeFeed['pages']): Promise<bigint | undefined> {
    Object.assign(feed, { pages, breaks });
    const { signal } = new AbortController();
    const following = followFeed({ feed, store, agentId }, shared, { signal, onPage: () => pagesHeard++ });
    await expect(following).rejects.toMatchObject({ code: breaks?.code ?? 'UNAVAILABLE' });
    return feed.subscriptions.at(-1)?.afterCursor;
  }

  const followed = async () => (await store.progress(shared)).followed;

  it('goes on where the last page ended, under the name of the agent', async () => {
    expect(await follow(away, pageOf(0, [itemAt('a'), itemAt('b')], false), pageOf(2, [itemAt('c')]))).toBe(0n);
    expect(await feedOf(store, shared)).toEqual(['1 a', '2 b', '3 c']);
    expect(pagesHeard).toBe(2);
    expect(await follow(undefined, pageOf(3, []))).toBe(3n);
    expect(feed.subscriptions.at(-1)).toMatchObject({ namespaceId: shared, replicaId: agentId });
    expect(await followed()).toBe(3);
  });

  it('keeps what was read before the line broke in the middle of the first reading', async () => {
    await follow(away, pageOf(0, [itemAt('a')], false));
    expect(await followed()).toBe(1);
  });

  it('refuses a page that is none, and stays where it was', async () => {
    const broken = { ...pageOf(0, [itemAt('a')]), nextCursor: 2n ** 60n };
    Object.assign(feed, { pages: [broken] });
    const { signal } = new AbortController();
    const following = followFeed({ feed, store, agentId }, shared, { signal, onPage: () => undefined });
    await expect(following).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await followed()).toBe(0);
  });

  describe('whose cursor metadata does not know any more', () => {
    beforeEach(async () => {
      await follow(away, pageOf(0, [itemAt('kept'), itemAt('gone'), itemAt('deleted', { ana: 1 }, deletion)]));
      await store.push(shared, pushOf([itemAt('waiting')]));
      await follow(ahead);
    });

    it('reads from the beginning, and forgets what is not there, but nothing that waits', async () => {
      expect(await follow(away, pageOf(0, [itemAt('kept')], false), pageOf(1, [itemAt('new')]))).toBe(0n);
      expect(await feedOf(store, shared)).toEqual(['1 kept', '4 waiting', '5 new']);
      expect(await followed()).toBe(2);
      expect(await emptyLog(store, shared)).toEqual([['waiting']]);
    });

    it('begins anew where that reading is cut short, and forgets nothing before', async () => {
      await follow(away, pageOf(0, [itemAt('kept')], false));
      expect(await followed()).toBe(0);
      expect(await feedOf(store, shared)).toEqual(['1 kept', '2 gone', '3 deleted', '4 waiting']);
      expect(await follow(away, pageOf(0, [itemAt('gone')]))).toBe(0n);
      expect(await feedOf(store, shared)).toEqual(['2 gone', '4 waiting']);
    });
  });

  it('does not forget what was pushed here before anything was followed', async () => {
    await store.push(shared, pushOf([itemAt('waiting')]));
    await follow(away, pageOf(0, [itemAt('a')]));
    expect(await feedOf(store, shared, { after: cursor(0) })).toEqual(['1 waiting', '2 a']);
  });
});
