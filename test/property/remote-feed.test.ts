import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RemoteFeed } from '../../client/peers/remote-feed.js';
import { MemoryTreeStore } from '../../client/state/memory-tree-store.js';
import type { FeedSlice } from '../../common/feed-service/feed-source.js';
import { decodeItem } from '../../common/feed/item-codec.js';
import type { Item, ItemPath } from '../../common/feed/item.js';
import { CURSOR_START, type Cursor, type NamespaceId } from '../../common/ids.js';
import { peerLimits } from '../../common/limits.js';
import { rejection } from '../support/async-tools.js';
import { DIRECTORY, itemFrom, stateBy } from '../support/feed/sample-states.js';

const NAMESPACE = '0'.repeat(32) as NamespaceId;
const NOW_MS = 1_764_000_000_000;

/** One who reads a feed page by page, and merges nothing: the last word of each path counts. */
class Reader {
  readonly known = new Map<ItemPath, Item>();
  after = CURSOR_START;

  async read(feed: RemoteFeed, maxEntries: number): Promise<boolean> {
    const page = await feed.readFeed(NAMESPACE, { after: this.after, maxEntries, maxBytes: 1_000_000, pathPrefix: '' });
    let last = this.after;
    for (const { cursor, item } of page.entries) {
      expect(cursor).toBeGreaterThan(last);
      last = cursor;
      const decoded = decodeItem(Buffer.from(item));
      this.known.set(decoded.path, decoded);
    }
    expect(page.nextCursor).toBeGreaterThanOrEqual(last);
    this.after = page.nextCursor;
    return page.caughtUp;
  }
}

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('write'), paths: fc.uniqueArray(fc.nat(9), { minLength: 1 }) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('read'), reader: fc.nat(2), entries: fc.integer({ min: 1, max: 5 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart') }) },
  ),
  { maxLength: 60 },
);

function feedOf(store: MemoryTreeStore, startedAtMs: number, ends: Cursor[] = []): RemoteFeed {
  return new RemoteFeed({ store, startedAtMs, onMoved: (end) => ends.push(end) });
}

describe('the remote tree as a feed', () => {
  it('gives every reader the tree as it is in the end, whatever was written and read in between, and by which life', async () => {
    const property = fc.asyncProperty(steps, async (taken) => {
      const store = new MemoryTreeStore();
      let lives = 0;
      let feed = feedOf(store, NOW_MS);
      const readers = [new Reader(), new Reader(), new Reader()];
      let counter = 0;
      for (const step of taken) {
        if (step.kind === 'restart') feed = feedOf(store, NOW_MS + ++lives);
        else if ('reader' in step) await readers[step.reader]!.read(feed, step.entries);
        else if ('paths' in step) {
          counter++;
          const items = step.paths.map((path) => itemFrom(`p${path}`, [stateBy('a', counter, counter, DIRECTORY)]));
          await store.write({ remote: new Map(items.map((item) => [item.path, item])) });
        }
      }
      const held = new Map([...store.remote.pathsBelow('')].map((path) => [path, store.remote.get(path)]));
      for (const reader of [...readers, new Reader()]) {
        while (!(await reader.read(feed, 3)));
        expect(new Map([...reader.known].sort())).toEqual(new Map([...held].sort()));
      }
    });
    await fc.assert(property, { numRuns: 300 });
  });

  const read = (feed: RemoteFeed, after: number): Promise<FeedSlice> =>
    feed.readFeed(NAMESPACE, { after: after as Cursor, maxEntries: 100, maxBytes: 1_000_000, pathPrefix: '' });
  const write = (store: MemoryTreeStore, path: string, counter = 1): Promise<void> => {
    const item = itemFrom(path, [stateBy('a', counter, counter, DIRECTORY)]);
    return store.write({ remote: new Map([[item.path, item]]) });
  };

  it('asks nothing of the tree before somebody asks, and then tells where it has moved', async () => {
    const store = new MemoryTreeStore();
    await write(store, 'a');
    const ends: Cursor[] = [];
    const feed = feedOf(store, NOW_MS, ends);
    await write(store, 'b');
    expect(ends).toEqual([]);
    const { cursor } = await feed.feedHead(NAMESPACE);
    expect(cursor).toBe(NOW_MS * peerLimits.cursorsPerMs + 2);
    await write(store, 'a', 2);
    expect(ends).toEqual([cursor + 1]);
    expect((await read(feed, cursor)).entries.map(({ item }) => decodeItem(Buffer.from(item)).path)).toEqual(['a']);
  });

  it('tells one whom it cannot have told so much that he is ahead, and leaves out what is gone', async () => {
    const store = new MemoryTreeStore();
    for (const path of ['a', 'b']) await write(store, path);
    const feed = feedOf(store, NOW_MS);
    const { nextCursor } = await read(feed, 0);
    expect(await rejection(read(feed, nextCursor + 1))).toMatchObject({ reason: 'CURSOR_AHEAD' });
    await store.write({ corrected: new Map([['a' as ItemPath, undefined]]) });
    expect((await read(feed, 0)).entries).toHaveLength(1);
    await store.write({ forgetRemote: true });
    expect(await read(feed, 0)).toMatchObject({ entries: [], caughtUp: true, nextCursor });
    await write(store, 'c');
    expect((await read(feed, nextCursor)).entries.map(({ cursor }) => cursor)).toEqual([nextCursor + 1]);
  });

  it('keeps no more places than paths for long', async () => {
    const store = new MemoryTreeStore();
    const feed = feedOf(store, NOW_MS);
    await feed.feedHead(NAMESPACE);
    for (let counter = 1; counter <= 3 * peerLimits.placesLeft; counter++) await write(store, 'a', counter);
    expect(feed.placeCount).toBeLessThanOrEqual(peerLimits.placesLeft + 2);
    expect((await read(feed, 0)).entries).toHaveLength(1);
  });
});
