import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { itemToWire } from '../../../../common/feed/item-codec.js';
import { wireLimits } from '../../../../common/limits.js';
import type { FeedPage, ReadFeedRequest } from '../../../../proto/gen/drystone/feed/v1/feed.js';
import { eventually } from '../../../support/eventually.js';
import { itemAt, namespaceIdNamed, replicaNamed } from '../../../support/metadata/samples.js';
import { TestMetadata, type TestNamespace } from '../../../support/metadata/service.js';

describe('FeedService', () => {
  let metadata: TestMetadata;
  let namespace: TestNamespace;

  beforeEach(async () => {
    metadata = await TestMetadata.start();
    namespace = await metadata.namespace('shared');
  });
  afterEach(() => metadata.stop());

  const commit = (...paths: readonly string[]) =>
    namespace.commit({ items: paths.map((path) => itemToWire(itemAt(path))) });
  const read = (request: Partial<ReadFeedRequest> = {}) =>
    metadata.calls.feed.readFeed({
      namespaceId: namespace.id,
      afterCursor: 0n,
      pageSize: 0,
      pathPrefix: '',
      ...request,
    });
  const subscribe = (afterCursor: bigint, signal?: AbortSignal) =>
    metadata.calls.feed.subscribe(
      { namespaceId: namespace.id, afterCursor, replicaId: '' },
      signal === undefined ? {} : { signal },
    );
  const pathsOf = ({ entries }: FeedPage) => entries.map(({ cursor, item }) => `${cursor} ${item?.path ?? ''}`);

  /** The next page of a subscription, which must not have ended. */
  async function next(pages: AsyncGenerator<FeedPage, void, undefined>): Promise<FeedPage> {
    const { value, done } = await pages.next();
    if (done === true) throw new Error('the subscription has ended');
    return value;
  }

  it('keeps how far a replica that subscribes has seen the feed, and of nobody who only looks', async () => {
    await commit('a');
    const ended = new AbortController();
    await next(subscribe(1n, ended.signal));
    expect(await metadata.metric('drystone_metadata_replicas')).toBe(0);
    const named = { namespaceId: namespace.id, afterCursor: 1n, replicaId: replicaNamed('laptop') };
    await next(metadata.calls.feed.subscribe(named, { signal: ended.signal }));
    expect(await metadata.metric('drystone_metadata_replicas')).toBe(1);
    ended.abort();
    await expect(next(metadata.calls.feed.subscribe({ ...named, replicaId: 'x' }))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { field: 'replica_id' },
    });
    await expect(next(metadata.calls.feed.subscribe({ ...named, afterCursor: 2n }))).rejects.toMatchObject({
      reason: 'CURSOR_AHEAD',
    });
  });

  it('reads pages, whole items and where to go on', async () => {
    await commit('a', 'b/c', 'b');
    const page = await read();
    expect(pathsOf(page)).toEqual(['1 a', '2 b/c', '3 b']);
    const committed = ['a', 'b/c', 'b'].map((path) => metadata.authored(itemToWire(itemAt(path))));
    expect(page.entries.map(({ item }) => item)).toEqual(committed);
    expect(page).toMatchObject({ nextCursor: 3n, caughtUp: true });
    expect(await read({ pageSize: 2 })).toMatchObject({ nextCursor: 2n, caughtUp: false });
    expect(pathsOf(await read({ pathPrefix: 'b' }))).toEqual(['2 b/c', '3 b']);
    const { history } = page;
    expect(await read({ afterCursor: 3n })).toEqual({ entries: [], nextCursor: 3n, caughtUp: true, history });
  });

  it('refuses one who was given the cursor with another history, and nobody else', async () => {
    await commit('a', 'b');
    const { history } = await read();
    const known = { namespaceId: namespace.id, afterCursor: 1n, replicaId: '', afterHistory: history };
    expect(pathsOf(await read(known))).toEqual(['2 b']);
    const pages = metadata.calls.feed.subscribe(known);
    expect(pathsOf(await next(pages))).toEqual(['2 b']);
    await pages.return();
    const another = { ...known, afterHistory: Buffer.alloc(8, 1) };
    const refusal = { code: 'OUT_OF_RANGE', reason: 'CURSOR_AHEAD' };
    await expect(read(another)).rejects.toMatchObject(refusal);
    await expect(next(metadata.calls.feed.subscribe(another))).rejects.toMatchObject(refusal);
    expect(pathsOf(await read({ ...another, afterCursor: 0n }))).toEqual(['1 a', '2 b']);
  });

  it.each<[what: string, request: Partial<ReadFeedRequest>, error: object]>([
    ['a cursor from the future', { afterCursor: 1n }, { code: 'OUT_OF_RANGE', reason: 'CURSOR_AHEAD' }],
    ['a cursor beyond all numbers', { afterCursor: 2n ** 63n }, { details: { field: 'after_cursor' } }],
    [
      'an unknown namespace',
      { namespaceId: namespaceIdNamed('x') },
      { code: 'NOT_FOUND', reason: 'NAMESPACE_UNKNOWN' },
    ],
    ['a namespace that is no id', { namespaceId: 'shared' }, { details: { field: 'namespace_id' } }],
    ['a history that is none', { afterHistory: Buffer.alloc(7) }, { details: { field: 'after_history' } }],
    ['a page that is too large', { pageSize: wireLimits.entriesPerPage + 1 }, { details: { field: 'page_size' } }],
    ['a prefix that is no path', { pathPrefix: 'a/../b' }, { details: { field: 'path_prefix' } }],
  ])('refuses to read from %s', async (_what, request, error) => {
    await expect(read(request)).rejects.toMatchObject(error);
  });

  it('refuses to subscribe after a cursor from the future, or in an unknown namespace', async () => {
    await expect(next(subscribe(1n))).rejects.toMatchObject({ code: 'OUT_OF_RANGE', reason: 'CURSOR_AHEAD' });
    const elsewhere = { namespaceId: namespaceIdNamed('x'), afterCursor: 0n, replicaId: '' };
    await expect(next(metadata.calls.feed.subscribe(elsewhere))).rejects.toMatchObject({ reason: 'NAMESPACE_UNKNOWN' });
    await eventually(() => metadata.metric('drystone_metadata_feed_subscribers')).toBe(0);
  });

  it('says that a subscriber has caught up, even where there is nothing, and then what comes', async () => {
    const pages = subscribe(0n);
    expect(await next(pages)).toEqual({ entries: [], nextCursor: 0n, caughtUp: true });
    await commit('a', 'b');
    expect(pathsOf(await next(pages))).toEqual(['1 a', '2 b']);
    await commit('c');
    expect(pathsOf(await next(pages))).toEqual(['3 c']);
    await pages.return();
  });

  it('delivers everything to two subscribers that resume where they were', async () => {
    await commit('a', 'b');
    const seen: Record<string, string[]> = { one: [], two: [] };
    const cursors: Record<string, bigint> = { one: 0n, two: 1n };
    for (const round of ['c', 'd', 'e']) {
      for (const name of ['one', 'two']) {
        const pages = subscribe(cursors[name]!);
        for await (const page of pages) {
          seen[name]!.push(...pathsOf(page));
          cursors[name] = page.nextCursor;
          if (page.caughtUp) break;
        }
      }
      await commit(round);
    }
    expect(seen.one).toEqual(['1 a', '2 b', '3 c', '4 d']);
    expect(seen.two).toEqual(['2 b', '3 c', '4 d']);
  });

  it('misses nothing that is committed while a subscription begins', async () => {
    const total = 60;
    const committing = (async () => {
      for (let index = 1; index <= total; index++) await commit(`file-${index}`);
    })();
    const subscribers = Array.from({ length: 8 }, async () => {
      const seen: bigint[] = [];
      for await (const page of subscribe(0n)) {
        seen.push(...page.entries.map(({ cursor }) => cursor));
        if (page.nextCursor === BigInt(total)) return seen;
      }
      return seen;
    });
    await committing;
    const everything = Array.from({ length: total }, (_, index) => BigInt(index + 1));
    for (const seen of await Promise.all(subscribers)) expect(seen).toEqual(everything);
  });

  it('gives its place back when a subscriber leaves', async () => {
    const pages = subscribe(0n);
    await next(pages);
    expect(await metadata.metric('drystone_metadata_feed_subscribers')).toBe(1);
    await pages.return();
    await eventually(() => metadata.metric('drystone_metadata_feed_subscribers')).toBe(0);
    expect(await metadata.metric('drystone_metadata_watchers')).toBe(0);
  });

  it('tells subscribers when it drains', async () => {
    const pages = subscribe(0n);
    await next(pages);
    const ended = next(pages);
    ended.catch(() => undefined);
    await metadata.program.stop();
    await expect(ended).rejects.toMatchObject({ code: 'UNAVAILABLE', reason: 'DRAINING' });
  });
});
