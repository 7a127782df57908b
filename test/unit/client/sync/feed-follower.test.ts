import { beforeEach, describe, expect, test } from 'vitest';
import type { FeedCalls } from '../../../../client/connection/feed-calls.js';
import { everyPath, plan } from '../../../../client/plan/plan.js';
import type { LocalEntry } from '../../../../client/state/local-entry.js';
import { MemoryTreeStore } from '../../../../client/state/memory-tree-store.js';
import { InHand } from '../../../../client/sync/in-hand.js';
import type { FeedEndpoint } from '../../../../client/state/tree-store.js';
import { catchUp, followFeed, type FeedFollowerParts } from '../../../../client/sync/feed-follower.js';
import { DrystoneError } from '../../../../common/errors.js';
import { settle } from '../../../../common/feed/conflicts.js';
import { itemToWire } from '../../../../common/feed/item-codec.js';
import type { Item, ItemPath } from '../../../../common/feed/item.js';
import type { AgentId, Cursor, DeviceId, NamespaceId, ReplicaId } from '../../../../common/ids.js';
import type { FeedPage } from '../../../../proto/gen/drystone/feed/v1/feed.js';
import { localFile } from '../../../support/client/planned-trees.js';
import { DIRECTORY, itemFrom, stateBy } from '../../../support/feed/sample-states.js';

const AGENT: FeedEndpoint = `agent ${'1'.repeat(32) as AgentId}`;
const PEER: FeedEndpoint = `peer ${'2'.repeat(32) as DeviceId}`;
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
  const readers = new Set<string>();
  const subscribe = async function* (request: { afterCursor: bigint; replicaId: string }): AsyncGenerator<FeedPage> {
    const { afterCursor, replicaId } = request;
    readers.add(replicaId);
    yield* answer(Number(afterCursor));
    throw UNAVAILABLE;
  };
  const readFeed = async ({ afterCursor }: { afterCursor: bigint }): Promise<FeedPage> =>
    answer(Number(afterCursor))[0] ?? page(Number(afterCursor), []);
  const parts = {
    namespaceId,
    endpoint,
    replica: 'f'.repeat(32) as ReplicaId,
    device: 'd'.repeat(32) as DeviceId,
    feed: { subscribe, readFeed } as unknown as FeedCalls,
    store,
    inHand: new InHand(store),
    onPage: (changed: readonly ItemPath[], isCaughtUp: boolean) => told.push(`${changed.join()} ${isCaughtUp}`),
    onReset: () => told.push('reset'),
  };
  return { parts, store, told, readers, signal: new AbortController().signal };
}

test('every page is taken in with its cursor, and the next subscription goes on behind it', async () => {
  const asked: number[] = [];
  const { parts, store, told, readers, signal } = await follow((after) => {
    asked.push(after);
    return after === 0 ? [page(2, [directory('a'), directory('b')], false), page(3, [directory('c')])] : [];
  });
  await expect(followFeed(parts, signal)).rejects.toBe(UNAVAILABLE);
  expect(store.cursor).toBe(3);
  expect([...store.remote.pathsBelow('')]).toEqual(['a', 'b', 'c']);
  await expect(followFeed(parts, signal)).rejects.toBe(UNAVAILABLE);
  expect(asked).toEqual([0, 3]);
  expect([...readers], 'it says who remembers what it reads').toEqual(['f'.repeat(32)]);
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

test('what is in hand is kept as it is where the feed moves on from it', async () => {
  const store = new MemoryTreeStore();
  const { parts, signal } = await follow(() => [page(2, [directory('a'), directory('b')])], store);
  const inHand = new Map([['a' as ItemPath, directory('a')]]);
  const among: FeedFollowerParts['inHand']['among'] = (news) => (news.has('a' as ItemPath) ? inHand : new Map());
  await expect(followFeed({ ...parts, inHand: { among } }, signal)).rejects.toBe(UNAVAILABLE);
  expect([...store.inHand.pathsBelow('')]).toEqual(['a']);
});

test('catching up reads page after page to the end', async () => {
  const pages = [page(1, [directory('a')], false), page(2, [directory('b')], false), page(2, [], true)];
  const { parts, store, signal } = await follow((after) => pages.slice(after));
  await catchUp(parts, signal);
  expect(store.cursor).toBe(2);
});

test('what catching up has read late does not move the cursor back that a subscription has moved on', async () => {
  const { parts, store, signal } = await follow(() => []);
  const readFeed = async (): Promise<FeedPage> => {
    await store.write({ cursor: 3 as Cursor });
    return page(2, [directory('a')]);
  };
  await catchUp({ ...parts, feed: { readFeed } as unknown as FeedCalls }, signal);
  expect([store.cursor, store.remote.get('a' as ItemPath)?.path]).toEqual([3, 'a']);
});

test('the feed of an agent has a cursor of its own, and what turns up in it of what was offered is provisional', async () => {
  const store = new MemoryTreeStore();
  await store.write({ offered: new Map([['a' as ItemPath, directory('a')]]), cursor: 9 as Cursor });
  const { parts, told, signal } = await follow(() => [page(2, [directory('a'), directory('b')])], store, AGENT);
  await expect(followFeed(parts, signal)).rejects.toBe(UNAVAILABLE);
  expect([store.cursor, store.cursorOf(AGENT)]).toEqual([9, 2]);
  expect([...store.provisional.pathsBelow('')]).toEqual(['a']);
  expect(told).toEqual(['a,b true']);
});

test('what others tell of this device’s own changes is its to tell metadata, unless it has rivals or is known', async () => {
  const store = new MemoryTreeStore();
  const [copy, known] = ['copy', 'known'].map((path) => itemFrom(path, [stateBy('d', 1, 1, 'ours')])) as [Item, Item];
  const contested = itemFrom('contested', [stateBy('d', 1, 2, 'ours'), stateBy('e', 1, 1, 'theirs')]);
  await store.write({ remote: new Map([[known.path, known]]) });
  const heard = page(4, [copy, known, contested, directory('theirs')]);
  const { parts, signal } = await follow(() => [heard], store, PEER);
  await expect(followFeed(parts, signal)).rejects.toBe(UNAVAILABLE);
  expect([...store.provisional.pathsBelow('')]).toEqual(['copy']);
  const { parts: ofMetadata } = await follow(() => [heard], new MemoryTreeStore());
  await expect(followFeed(ofMetadata, signal)).rejects.toBe(UNAVAILABLE);
  expect(ofMetadata.store.provisionalCount, 'metadata has it').toBe(0);
});

test('of a page with a change of this folder that it does not know nothing is written', async () => {
  const own = itemFrom('own', [stateBy('f', 1, 1, 'by another')]);
  const { parts, store, told, signal } = await follow(() => [page(2, [directory('a'), own])]);
  const notAlone = expect.objectContaining({ reason: 'STATE_NOT_ALONE' }) as Error;
  await expect(followFeed(parts, signal)).rejects.toEqual(notAlone);
  await expect(catchUp(parts, signal)).rejects.toEqual(notAlone);
  expect([store.cursor, [...store.remote.pathsBelow('')], told]).toEqual([0, [], []]);
});

test('of a page that is not to be believed nothing is taken', async () => {
  const { parts, store, told, signal } = await follow(() => [page(1, [directory('a')])], undefined, PEER);
  const check = (): never => {
    throw UNAVAILABLE;
  };
  await expect(followFeed({ ...parts, check }, signal)).rejects.toBe(UNAVAILABLE);
  expect([store.cursorOf(PEER), [...store.remote.pathsBelow('')], told]).toEqual([0, [], []]);
});

test('what metadata tells of what an agent was told is with metadata, and no plan waits for that any more', async () => {
  const store = new MemoryTreeStore();
  const items = new Map([['a' as ItemPath, directory('a')]]);
  await store.write({ remote: items, provisional: items });
  const { parts, told, signal } = await follow(() => [page(1, [directory('a')])], store);
  await expect(followFeed(parts, signal)).rejects.toBe(UNAVAILABLE);
  expect(store.provisionalCount).toBe(0);
  expect(told, 'a conflict with what was told is planned anew').toEqual(['a true']);
});

test.each(['CURSOR_AHEAD', 'CURSOR_FORGOTTEN'] as const)(
  'an agent that says %s is read from its start, and nothing is unlearned',
  async (reason) => {
    const store = new MemoryTreeStore();
    const remote = new Map([['old' as ItemPath, directory('old')]]);
    await store.write({ remote, cursorAt: [AGENT, 50 as Cursor] });
    const answer = (after: number): readonly FeedPage[] => {
      if (after === 50) throw new DrystoneError('OUT_OF_RANGE', reason, 'not from there');
      return [page(1, [directory('new')])];
    };
    const { parts, told, signal } = await follow(answer, store, AGENT);
    await expect(followFeed(parts, signal)).rejects.toBe(UNAVAILABLE);
    expect([...store.remote.pathsBelow('')]).toEqual(['new', 'old']);
    expect([store.cursorOf(AGENT), told]).toEqual([1, ['new true']]);
  },
);

describe('where deletions behind the cursor were forgotten', () => {
  const forgotten = (pages: Record<number, FeedPage>) => (after: number) => {
    if (after === 5) throw new DrystoneError('OUT_OF_RANGE', 'CURSOR_FORGOTTEN', 'too long ago');
    return after in pages ? [pages[after]!] : [];
  };
  let store: MemoryTreeStore;
  beforeEach(async () => {
    store = new MemoryTreeStore();
    const known = ['deleted', 'kept', 'told'].map(
      (path) => [path as ItemPath, itemFrom(path, [stateBy('b', 1, 1, 'as it was')])] as const,
    );
    const provisional = new Map([['told' as ItemPath, itemFrom('told', [stateBy('b', 1, 1, 'as it was')])]]);
    await store.write({ remote: new Map(known), synced: new Map(known), provisional, cursor: 5 as Cursor });
  });

  test('what is not found any more is gone; what only an agent was told is not', async () => {
    const kept = itemFrom('kept', [stateBy('b', 1, 1, 'as it was')]);
    const pages = { 0: page(8, [kept], false), 8: page(9, [directory('new')]) };
    const { parts, told, signal } = await follow(forgotten(pages), store);
    await expect(followFeed(parts, signal)).rejects.toBe(UNAVAILABLE);
    expect(store.remote.get('deleted' as ItemPath)?.content.kind).toBe('deletion');
    for (const path of ['kept', 'told', 'new'])
      expect(store.remote.get(path as ItemPath)?.content.kind).not.toBe('deletion');
    expect([told, store.cursor]).toEqual([['reset', 'deleted true'], 9]);
  });

  test('a reading in the middle of which metadata turns out to be another one begins with nothing', async () => {
    const pages = forgotten({ 0: page(8, [directory('lost')], false) });
    let readings = 0;
    const answer = (after: number): readonly FeedPage[] => {
      if (after === 8 && readings++ === 0) throw AHEAD;
      return after === 0 && readings > 0 ? [page(2, [directory('new')])] : pages(after);
    };
    const { parts, told, signal } = await follow(answer, store);
    await expect(followFeed(parts, signal)).rejects.toBe(UNAVAILABLE);
    expect([...store.remote.pathsBelow('')]).toEqual(['new']);
    expect([told, store.cursor]).toEqual([['reset', 'reset', 'new true'], 2]);
  });

  test('a folder that still has it as it was removes it, and keeps what it has changed since', async () => {
    await store.write({ local: new Map([localText('deleted', 'as it was')]) });
    const { parts, signal } = await follow(forgotten({ 0: page(9, []) }), store);
    await expect(followFeed(parts, signal)).rejects.toBe(UNAVAILABLE);
    expect(stepsOf(store)).toContain('remove deleted');
    await store.write({ local: new Map([localText('deleted', 'changed since')]) });
    expect(stepsOf(store)).toContain('commit-item deleted');
  });

  test('a reading that breaks off is begun again: the cursor moves at its end', async () => {
    const { parts, signal } = await follow(forgotten({ 0: page(8, [], false) }), store);
    const readFeed: FeedCalls['readFeed'] = (request, options) =>
      request.afterCursor === 8n ? Promise.reject(UNAVAILABLE) : parts.feed.readFeed(request, options);
    await expect(followFeed({ ...parts, feed: { ...parts.feed, readFeed } }, signal)).rejects.toBe(UNAVAILABLE);
    expect(store.cursor).toBe(5);
    expect(store.remote.get('deleted' as ItemPath)?.content.kind).toBe('file');
  });
});

function localText(path: string, content: string): [ItemPath, LocalEntry] {
  return [path as ItemPath, localFile(path, content)];
}

function stepsOf(store: MemoryTreeStore): string[] {
  const rules = {
    device: 'a'.repeat(32) as DeviceId,
    replica: 'e'.repeat(32) as ReplicaId,
    nowMs: 9,
    conflicts: 'settle' as const,
  };
  const { operations } = plan(store, everyPath(store), { ...rules, leaveAlone: () => false });
  return operations.map(({ kind, path }) => `${kind} ${path}`);
}
