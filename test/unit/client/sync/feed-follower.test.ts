import { expect, test } from 'vitest';
import type { FeedCalls } from '../../../../client/connection/feed-calls.js';
import { MemoryTreeStore } from '../../../../client/state/memory-tree-store.js';
import type { FeedEndpoint } from '../../../../client/state/tree-store.js';
import { catchUp, followFeed } from '../../../../client/sync/feed-follower.js';
import { DrystoneError } from '../../../../common/errors.js';
import { settle } from '../../../../common/feed/conflicts.js';
import { itemToWire } from '../../../../common/feed/item-codec.js';
import type { Item, ItemPath } from '../../../../common/feed/item.js';
import type { Cursor, NamespaceId, ReplicaId } from '../../../../common/ids.js';
import type { FeedPage } from '../../../../proto/gen/drystone/feed/v1/feed.js';
import { DIRECTORY, itemFrom, stateBy } from '../../../support/feed/sample-states.js';

const namespaceId = '0'.repeat(32) as NamespaceId;

function directory(path: string, counter = 1): Item {
  return itemFrom(path, [stateBy('a', counter, counter, DIRECTORY)]);
}

function page(cursor: number, items: readonly Item[], caughtUp = true): FeedPage {
  const entries = items.map((item, index) => ({
    cursor: BigInt(cursor - items.length + index + 1),
    item: itemToWire(item),
  }));
  return { entries, nextCursor: BigInt(cursor), caughtUp };
}

const UNAVAILABLE = new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'the line broke');
const AHEAD = new DrystoneError('OUT_OF_RANGE', 'CURSOR_AHEAD', 'the cursor is ahead');

/** A feed that answers each subscription by its cursor with pages, then breaks off. */
async function follow(
  answer: (afterCursor: number) => readonly FeedPage[],
  store = new MemoryTreeStore(),
  endpoint: FeedEndpoint = 'metadata',
) {
  const told: string[] = [];
  const subscribe = async function* ({ afterCursor }: { afterCursor: bigint }): AsyncGenerator<FeedPage> {
    yield* answer(Number(afterCursor));
    throw UNAVAILABLE;
  };
  const readFeed = async ({ afterCursor }: { afterCursor: bigint }): Promise<FeedPage> =>
    answer(Number(afterCursor))[0] ?? page(Number(afterCursor), []);
  const parts = {
    namespaceId,
    endpoint,
    replica: 'e'.repeat(32) as ReplicaId,
    feed: { subscribe, readFeed } as unknown as FeedCalls,
    store,
    onPage: (changed: readonly ItemPath[], isCaughtUp: boolean) => told.push(`${changed.join()} ${isCaughtUp}`),
    onReset: () => told.push('reset'),
  };
  return { parts, store, told, signal: new AbortController().signal };
}

test('every page is taken in with its cursor, and the next subscription goes on behind it', async () => {
  const asked: number[] = [];
  const { parts, store, told, signal } = await follow((after) => {
    asked.push(after);
    return after === 0 ? [page(2, [directory('a'), directory('b')], false), page(3, [directory('c')])] : [];
  });
  await expect(followFeed(parts, signal)).rejects.toBe(UNAVAILABLE);
  expect(store.cursor).toBe(3);
  expect([...store.remote.pathsBelow('')]).toEqual(['a', 'b', 'c']);
  await expect(followFeed(parts, signal)).rejects.toBe(UNAVAILABLE);
  expect(asked).toEqual([0, 3]);
  expect(told).toEqual(['a,b false', 'c true']);
});

test('the echo of what is known already changes nothing but the cursor', async () => {
  const store = new MemoryTreeStore();
  await store.write({ remote: new Map([['a' as ItemPath, directory('a')]]) });
  const { parts, told, signal } = await follow(() => [page(1, [directory('a')])], store);
  await expect(followFeed(parts, signal)).rejects.toBe(UNAVAILABLE);
  expect(told).toEqual([' true']);
  expect(store.cursor).toBe(1);
});

test('an item whose conflict was settled is news, though its version is the same', async () => {
  const store = new MemoryTreeStore();
  const [ours, theirs] = [stateBy('a', 1, 1, 'ours'), stateBy('b', 1, 2, 'theirs')];
  const contested = itemFrom('a', [ours, theirs]);
  await store.write({ remote: new Map([[contested.path, contested]]) });
  const { item: settled } = settle(contested);
  const { parts, told, signal } = await follow(() => [page(1, [settled])], store);
  await expect(followFeed(parts, signal)).rejects.toBe(UNAVAILABLE);
  expect(told).toEqual(['a true']);
  expect(store.remote.get(contested.path)?.rivals).toEqual([]);
});

test('a feed that ends before the cursor is another one: everything is read again', async () => {
  const store = new MemoryTreeStore();
  await store.write({ remote: new Map([['old' as ItemPath, directory('old')]]), cursor: 50 as Cursor });
  const { parts, told, signal } = await follow((after) => {
    if (after === 50) throw AHEAD;
    return [page(1, [directory('new')])];
  }, store);
  await expect(followFeed(parts, signal)).rejects.toBe(UNAVAILABLE);
  expect([...store.remote.pathsBelow('')]).toEqual(['new']);
  expect(told).toEqual(['reset', 'new true']);
});

test('catching up reads page after page to the end', async () => {
  const pages = [page(1, [directory('a')], false), page(2, [directory('b')], false), page(2, [], true)];
  const { parts, store, signal } = await follow((after) => pages.slice(after));
  await catchUp(parts, signal);
  expect(store.cursor).toBe(2);
});
