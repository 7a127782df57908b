import { describe, expect, it } from 'vitest';
import type { EncodedPage } from '../../../../common/feed-service/encoded-page.js';
import { FeedReader } from '../../../../common/feed-service/feed-reader.js';
import type { FeedSource } from '../../../../common/feed-service/feed-source.js';
import { Subscriptions } from '../../../../common/feed-service/subscriptions.js';
import { WatcherLimit } from '../../../../common/feed-service/watcher-limit.js';
import type { FeedHistory } from '../../../../common/feed/feed-history.js';
import type { MetadataStore } from '../../../../metadata/store/contract.js';
import { createMemoryStore } from '../../../../metadata/store/memory-store.js';
import { metadataLimits } from '../../../../common/limits.js';
import { FeedPage } from '../../../../proto/gen/drystone/feed/v1/feed.js';
import { commitItems, furnish, shared } from '../../../support/metadata/furnished-store.js';
import { cursor, itemAt } from '../../../support/metadata/samples.js';

async function open(
  capacity = 10,
): Promise<{ store: MetadataStore; subscriptions: Subscriptions; limit: WatcherLimit }> {
  const store = createMemoryStore();
  await furnish(store);
  const limit = new WatcherLimit(capacity);
  const subscriptions = new Subscriptions(new FeedReader(store.journal, metadataLimits.pageCacheBytes), limit);
  store.onChange((change) => change.kind === 'feed' && subscriptions.moved(change.namespaceId, change.cursor));
  return { store, subscriptions, limit };
}

/** What everybody here subscribes to. */
const whole = { namespaceId: shared.id, after: cursor(0), admit: () => Promise.resolve() };

async function next(pages: AsyncGenerator<EncodedPage>): Promise<EncodedPage> {
  const result = await pages.next();
  if (result.done === true) throw new Error('the subscription has ended');
  return result.value;
}

describe('Subscriptions', () => {
  it('gives all who stand at the same cursor the very same page', async () => {
    const { store, subscriptions } = await open();
    const { signal } = new AbortController();
    const all = Array.from({ length: 5 }, () => subscriptions.subscribe(whole, signal));
    for (const pages of all) await next(pages);
    const waiting = all.map(next);
    await commitItems(store, [itemAt('a')]);
    const [first, ...others] = await Promise.all(waiting);
    expect(FeedPage.decode(first!.bytes).entries.map(({ item }) => item?.path)).toEqual(['a']);
    for (const page of others) expect(page).toBe(first);
  });

  it('lets a slow subscriber skip what is superseded, and says how far it is behind', async () => {
    const { store, subscriptions } = await open();
    const pages = subscriptions.subscribe(whole, new AbortController().signal);
    await next(pages);
    for (let counter = 1; counter <= 50; counter++) await commitItems(store, [itemAt('a', { ana: counter })]);
    expect(subscriptions.maxLag).toBe(50);
    const page = await next(pages);
    expect(page).toMatchObject({ entryCount: 1, nextCursor: 50, caughtUp: true });
    void pages.next();
    await Promise.resolve();
    expect(subscriptions.maxLag).toBe(0);
  });

  it('goes on from one history into the next, and takes nobody who was given the first cursor with another', async () => {
    const { store } = await open();
    await commitItems(store, [itemAt('a')]);
    const [earlier, later] = ['a'.repeat(16), 'b'.repeat(16)] as [FeedHistory, FeedHistory];
    const source: FeedSource = {
      feedHead: (id) => store.journal.feedHead(id),
      readFeed: (id, query) => store.journal.readFeed(id, { ...query, maxEntries: 1 }),
      historyOf: async (_id, at) => (at <= 1 ? earlier : later),
    };
    await commitItems(store, [itemAt('b'), itemAt('c')]);
    const subscriptions = new Subscriptions(new FeedReader(source, metadataLimits.pageCacheBytes), new WatcherLimit(2));
    const { signal } = new AbortController();
    const pages = subscriptions.subscribe({ ...whole, after: cursor(1), afterHistory: earlier }, signal);
    expect([await next(pages), await next(pages)]).toMatchObject([{ nextCursor: 2 }, { nextCursor: 3 }]);
    // The page is in the cache by now.
    const other = subscriptions.subscribe({ ...whole, after: cursor(1), afterHistory: later }, signal);
    await expect(next(other)).rejects.toMatchObject({ code: 'OUT_OF_RANGE', reason: 'CURSOR_AHEAD' });
  });

  it('takes no more than the limit, and gives places back', async () => {
    const { subscriptions, limit } = await open(2);
    const end = new AbortController();
    const subscribe = () => subscriptions.subscribe(whole, end.signal);
    const open2 = [subscribe(), subscribe()];
    for (const pages of open2) await next(pages);
    const refusal = { code: 'RESOURCE_EXHAUSTED', reason: 'OVERLOADED', details: { retryAfterMs: 2_000 } };
    await expect(next(subscribe())).rejects.toMatchObject(refusal);
    await open2[0]!.return(undefined);
    await next(subscribe());
    expect([subscriptions.count, limit.openCount]).toEqual([2, 2]);
  });

  it('ends with its signal, also while it waits', async () => {
    const { subscriptions, limit } = await open();
    const end = new AbortController();
    const pages = subscriptions.subscribe(whole, end.signal);
    await next(pages);
    const waiting = pages.next();
    end.abort();
    expect(await waiting).toMatchObject({ done: true });
    expect([subscriptions.count, limit.openCount]).toEqual([0, 0]);
  });

  it('loses no change between reading and waiting', async () => {
    const { store, subscriptions } = await open();
    const pages = subscriptions.subscribe(whole, new AbortController().signal);
    const seen: number[] = [];
    const reading = (async () => {
      while (seen.at(-1) !== 200) seen.push((await next(pages)).nextCursor);
    })();
    for (let index = 1; index <= 200; index++) {
      await commitItems(store, [itemAt(`file-${index}`)]);
      if (index % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await reading;
    expect(seen.at(-1)).toBe(200);
  });
});
