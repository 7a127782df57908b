import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LocalEntry, LocalFile } from '../../client/state/local-entry.js';
import type { FeedEndpoint, TreeStore } from '../../client/state/tree-store.js';
import type { FeedHistory } from '../../common/feed/feed-history.js';
import type { FileContent, Item, ItemPath } from '../../common/feed/item.js';
import { itemOf, mergeItems } from '../../common/feed/merge.js';
import type { Cursor, DeviceId, NamespaceId, ReplicaId } from '../../common/ids.js';

/** An engine of the client's state, opened anew for each test. */
export interface TreeStoreSubject {
  open(): Promise<TreeStore>;
  cleanUp(): Promise<void>;
}

const DEVICE = 'd'.repeat(32) as DeviceId;
const REPLICA = 'a'.repeat(32) as ReplicaId;
const OTHER = 'b'.repeat(32) as ReplicaId;
const NAMESPACE = '0123456789abcdef0123456789abcdef' as NamespaceId;
const NONCE = 'a nonce';
const [AGENT, OTHER_AGENT] = ['1', '2'].map((digit) => `agent ${digit.repeat(32)}`) as [FeedEndpoint, FeedEndpoint];

function item(path: string, counter = 1, text = 'text', replicaId = REPLICA): Item {
  const blocks = { hashes: Buffer.alloc(32, text), sizes: [text.length] };
  const content = { kind: 'file', sizeBytes: text.length, modifiedAtMs: -5, executable: true, blocks } as const;
  const change = { replicaId, counter };
  return itemOf(path as ItemPath, [change], [{ change, at: { wallMs: counter, logical: 0 }, author: DEVICE, content }]);
}

const byPath = <T extends { readonly path: ItemPath }>(...values: T[]): Map<ItemPath, T> =>
  new Map(values.map((value) => [value.path, value]));

const FILE: LocalFile = {
  kind: 'file',
  path: 'd/file' as ItemPath,
  modifiedAtMs: -1,
  executable: true,
  stamp: { sizeBytes: 2 ** 40, modifiedAtNs: -1_000_001n, changedAtNs: 2n ** 61n, inode: 2n ** 64n - 1n },
  blocks: { hashes: Buffer.alloc(64, 7), sizes: [2 ** 22, 1] },
};

/** What every engine of the state promises (client/state/tree-store.ts). */
export function describeTreeStore(name: string, makeSubject: () => TreeStoreSubject): void {
  describe(`${name} is a tree store`, () => {
    const subject = makeSubject();
    let store: TreeStore;
    beforeEach(async () => {
      store = await subject.open();
    });
    afterEach(async () => {
      await store.close();
      await subject.cleanUp();
    });

    it('is empty at first', () => {
      expect(store.namespaceId).toBeUndefined();
      expect(store.nonce).toBeUndefined();
      expect(store.cursor).toBe(0);
      expect([...store.local.pathsBelow('')]).toEqual([]);
      expect(store.remote.get('a' as ItemPath)).toBeUndefined();
    });

    it('gives back what was written, in each tree by itself', async () => {
      const entries: LocalEntry[] = [
        FILE,
        { ...FILE, path: 'unread' as ItemPath, blocks: undefined },
        { ...FILE, path: 'empty' as ItemPath, blocks: { hashes: new Uint8Array(0), sizes: [] } },
        { kind: 'directory', path: 'd' as ItemPath },
        { kind: 'symlink', path: 'link' as ItemPath, target: '../Grüße' },
      ];
      await store.write({ local: byPath(...entries), synced: byPath(item('a', 2)), remote: byPath(item('a', 3)) });
      for (const entry of entries) expect(store.local.get(entry.path)).toEqual(entry);
      expect(store.synced.get('a' as ItemPath)).toEqual(item('a', 2));
      expect(store.remote.get('a' as ItemPath)).toEqual(item('a', 3));
      expect(store.synced.get('d' as ItemPath)).toBeUndefined();
    });

    it('removes what is written as undefined', async () => {
      const path = 'd/file' as ItemPath;
      await store.write({ local: byPath(FILE), synced: byPath(item('d/file')) });
      await store.write({ local: new Map([[path, undefined]]), synced: new Map([[path, undefined]]) });
      expect(store.local.get(path)).toBeUndefined();
      expect(store.synced.get(path)).toBeUndefined();
    });

    it('lists what lies below a path, and nothing that only begins like it', async () => {
      const paths = ['a', 'a!', 'a/b', 'a/b/c', 'a/é', 'a0', 'ab/c', 'b'];
      await store.write({ local: byPath(...paths.map((path) => ({ ...FILE, path: path as ItemPath }))) });
      expect([...store.local.pathsBelow('a' as ItemPath)]).toEqual(['a/b', 'a/b/c', 'a/é']);
      expect([...store.local.pathsBelow('')]).toEqual(paths);
      expect([...store.local.pathsBelow('a/b/c' as ItemPath)]).toEqual([]);
    });

    it('bears being written to while a listing is read', async () => {
      await store.write({ local: byPath(FILE, { ...FILE, path: 'd/other' as ItemPath }) });
      const seen: string[] = [];
      for (const path of store.local.pathsBelow('d' as ItemPath)) {
        seen.push(path);
        await store.write({ local: new Map([[path, undefined]]) });
      }
      expect(seen).toEqual(['d/file', 'd/other']);
    });

    it('moves the cursor with what was read', async () => {
      await store.write({ remote: byPath(item('a')), cursor: 7 as Cursor });
      expect(store.cursor).toBe(7);
      await store.write({ remote: byPath(item('b')) });
      expect(store.cursor).toBe(7);
    });

    it('never falls back to what the namespace held before, and keeps what was made at the same time', async () => {
      await store.write({ remote: byPath(item('a', 3, 'newer')) });
      await store.write({ remote: byPath(item('a', 2, 'older')) });
      expect(store.remote.get('a' as ItemPath)).toEqual(item('a', 3, 'newer'));
      const concurrent = item('a', 1, 'other', OTHER);
      await store.write({ remote: byPath(concurrent) });
      expect(store.remote.get('a' as ItemPath)).toEqual(mergeItems(item('a', 3, 'newer'), concurrent));
    });

    it('forgets an offer that the namespace knows of, once what is agreed moves on', async () => {
      await store.write({ offered: byPath(item('a', 2), item('b', 2)) });
      await store.write({ remote: byPath(item('a', 2), item('b', 2)), synced: byPath(item('a', 2)) });
      expect(store.offered.get('a' as ItemPath)).toBeUndefined();
      expect(store.offered.get('b' as ItemPath)).toEqual(item('b', 2));
    });

    it('remembers the number of an offer that the namespace may still come to know of', async () => {
      const path = 'a' as ItemPath;
      await store.write({ remote: byPath(item('a', 1)), offered: byPath(item('a', 2)) });
      for (let time = 0; time < 2; time++) {
        await store.write({ synced: byPath(item('a', 1)) });
        expect(store.offered.get(path)).toEqual(itemOf(path, item('a', 2).version, []));
      }
      await store.write({ remote: byPath(item('a', 3)), synced: byPath(item('a', 3)) });
      expect(store.offered.get(path)).toBeUndefined();
    });

    it('forgets an offer that was refused', async () => {
      await store.write({ offered: byPath(item('a', 2)) });
      await store.write({ offered: new Map([['a' as ItemPath, undefined]]) });
      expect(store.offered.get('a' as ItemPath)).toBeUndefined();
    });

    it('forgets the remote tree before it takes in what comes with it', async () => {
      await store.write({
        remote: byPath(item('a', 9), item('b', 9)),
        synced: byPath(item('a', 9)),
        cursor: 5 as Cursor,
      });
      await store.write({ forgetRemote: true, remote: byPath(item('b', 1)), cursor: 0 as Cursor });
      expect(store.remote.get('a' as ItemPath)).toBeUndefined();
      expect(store.remote.get('b' as ItemPath)).toEqual(item('b', 1));
      expect(store.synced.get('a' as ItemPath)).toEqual(item('a', 9));
      expect(store.cursor).toBe(0);
    });

    it('moves a cursor from where it was read to be, and from nowhere else, also where the write before is under way', async () => {
      const first = store.write({ cursor: 7 as Cursor });
      const late = store.write({ remote: byPath(item('a')), cursor: 6 as Cursor, cursorFrom: 5 as Cursor });
      await Promise.all([first, late]);
      expect([store.cursor, store.remote.get('a' as ItemPath)?.path]).toEqual([7, 'a']);
      await store.write({ cursor: 8 as Cursor, cursorFrom: 7 as Cursor });
      expect(store.cursor).toBe(8);
    });

    it('keeps a cursor for each endpoint, none of which moves another', async () => {
      await store.write({ remote: byPath(item('a')), cursor: 7 as Cursor });
      await store.write({ heard: byPath(item('b')), cursorAt: [AGENT, 3 as Cursor] });
      expect([store.cursorOf('metadata'), store.cursorOf(AGENT), store.cursor]).toEqual([7, 3, 7]);
      expect(store.cursorOf(OTHER_AGENT)).toBe(0);
      expect(store.remote.get('b' as ItemPath)).toEqual(item('b'));
    });

    it('keeps the history of each cursor for as long as that stays', async () => {
      const [mine, its] = ['0'.repeat(16), '1'.repeat(16)] as [FeedHistory, FeedHistory];
      await store.write({ cursor: 7 as Cursor, history: mine, cursorAt: [AGENT, 7 as Cursor, its] });
      await store.write({ cursor: 9 as Cursor, history: its, cursorFrom: 8 as Cursor });
      await store.write({ remote: byPath(item('a')) });
      expect([store.historyOf('metadata'), store.historyOf(AGENT)]).toEqual([mine, its]);
      expect(store.historyOf(OTHER_AGENT)).toBeUndefined();
      await store.write({ cursor: 8 as Cursor });
      await store.write({ cursor: 7 as Cursor, cursorAt: [AGENT, 0 as Cursor] });
      expect([store.historyOf('metadata'), store.historyOf(AGENT)]).toEqual([undefined, undefined]);
    });

    it('keeps what an agent was told, the last of each path, until metadata has it', async () => {
      await store.write({ provisional: byPath(item('a', 1), item('b', 1)) });
      await store.write({ provisional: byPath(item('a', 2)), remote: byPath(item('a', 2)) });
      expect([...store.provisional.pathsBelow('')]).toEqual(['a', 'b']);
      expect(store.provisionalCount).toBe(2);
      await store.write({ confirmed: byPath(item('a', 1), item('b', 1)) });
      expect(store.provisional.get('a' as ItemPath), 'metadata has the one before').toEqual(item('a', 2));
      await store.write({ confirmed: byPath(mergeItems(item('a', 2), item('a', 1, 'other', OTHER))) });
      expect(store.provisionalCount).toBe(0);
    });

    it('keeps what an agent was told as it was told, whatever the agent has settled by it since', async () => {
      const settled = mergeItems(item('a', 2), item('a', 1, 'other', OTHER));
      await store.write({ provisional: byPath(item('a', 2)) });
      await store.write({
        heard: byPath(settled),
        provisional: byPath(itemOf(settled.path, settled.version, [settled])),
      });
      expect(store.provisional.get('a' as ItemPath)).toEqual(item('a', 2));
    });

    it('takes what was offered, and turns up at an agent, for told', async () => {
      await store.write({ offered: byPath(item('a', 2), item('b', 2), item('c', 2)), remote: byPath(item('c', 2)) });
      await store.write({ heard: byPath(item('a', 2), item('b', 1), item('c', 2)) });
      expect([...store.provisional.pathsBelow('')], 'b was not heard of, and c was known').toEqual(['a']);
      await store.write({ synced: byPath(item('a', 2)) });
      expect(store.offered.get('a' as ItemPath)).toBeUndefined();
    });

    it('gives up what was told, and corrects what it took the namespace to hold', async () => {
      const path = 'a' as ItemPath;
      await store.write({ remote: byPath(item('a', 2)), provisional: byPath(item('a', 2)) });
      await store.write({ corrected: byPath(item('a', 1)), provisional: new Map([[path, undefined]]) });
      expect([store.remote.get(path), store.provisional.get(path)]).toEqual([item('a', 1), undefined]);
      await store.write({ corrected: new Map([[path, undefined]]) });
      expect(store.remote.get(path)).toBeUndefined();
    });

    it('keeps what was in hand first, until that is forgotten', async () => {
      await store.write({ inHand: byPath(item('a', 1), item('b', 1)) });
      await store.write({ inHand: byPath(item('a', 2)) });
      expect(store.inHand.get('a' as ItemPath)).toEqual(item('a', 1));
      await store.write({ inHand: new Map([['a' as ItemPath, undefined]]) });
      expect([...store.inHand.pathsBelow('')]).toEqual(['b']);
    });

    it('tells what has moved in the remote tree, once it is there, and nothing of what has not', async () => {
      const told: string[] = [];
      store.onRemoteMoved(({ isEmptied, paths }) => {
        const held = paths.map((path) => `${path}${store.remote.get(path)?.change.counter ?? ' gone'}`);
        told.push([...(isEmptied ? ['emptied'] : []), ...held].join());
      });
      await store.write({ remote: byPath(item('a', 1), item('b', 1)) });
      await store.write({ remote: byPath(item('a', 1)), heard: byPath(item('b', 2)), cursor: 3 as Cursor });
      await store.write({ remote: byPath(item('a', 1)), synced: byPath(item('a', 1)), local: byPath(FILE) });
      await store.write({ corrected: new Map([['a' as ItemPath, undefined]]) });
      await store.write({ forgetRemote: true });
      await store.write({ forgetRemote: true, remote: byPath(item('c', 1)) });
      expect(told).toEqual(['a1,b1', 'b2', 'a gone', 'emptied', 'emptied,c1']);
    });

    it('never says of an offer that it is answered, and of the trees what they said before', async () => {
      const path = 'a' as ItemPath;
      const { change, at, author, content } = item(path, 2);
      const blocks = { hashes: Buffer.alloc(32 * 1000, 7), sizes: Array.from({ length: 1000 }, () => 4) };
      const large = itemOf(
        path,
        [change],
        [{ change, at, author, content: { ...content, sizeBytes: 4000, blocks } as FileContent }],
      );
      await store.write({ offered: byPath(large) });
      const seen = new Set<string>();
      const look = (): void => {
        const [remote, synced] = [store.remote, store.synced].map((tree) => tree.get(path)?.version[0]?.counter);
        seen.add(`${store.offered.get(path) === undefined ? 'answered' : 'offered'} ${remote} ${synced}`);
      };
      let isWritten = false;
      look();
      const before = store.write({ local: byPath(FILE) });
      const writing = store.write({ remote: byPath(large), synced: byPath(large) }).then(() => (isWritten = true));
      while (!isWritten) {
        look();
        await new Promise((resolve) => setImmediate(resolve));
      }
      await Promise.all([before, writing]);
      expect([...seen].filter((state) => state !== 'offered undefined undefined' && state !== 'answered 2 2')).toEqual(
        [],
      );
    });

    it('is bound to the namespace that claims it', async () => {
      await store.claim(NAMESPACE, NONCE);
      expect(store.namespaceId).toBe(NAMESPACE);
      expect(store.nonce).toBe(NONCE);
    });

    it('forgets, once it is claimed anew, what was offered, and nothing else', async () => {
      await store.claim(NAMESPACE, NONCE);
      await store.write({ remote: byPath(item('a', 1)), offered: byPath(item('a', 2), item('b', 1)) });
      await store.claim(NAMESPACE, 'another nonce');
      expect([store.offered.get('a' as ItemPath), store.offered.get('b' as ItemPath)]).toEqual([undefined, undefined]);
      expect(store.remote.get('a' as ItemPath)).toEqual(item('a', 1));
      await store.write({ offered: byPath(item('b', 3)) });
      expect(store.offered.get('b' as ItemPath)).toEqual(item('b', 3));
    });

    it('takes the longest path that there is', async () => {
      const path = Array.from({ length: 10 }, () => 'é'.repeat(94)).join('/') as ItemPath;
      expect(Buffer.byteLength(path)).toBe(1889);
      await store.write({ local: byPath({ ...FILE, path }) });
      expect(store.local.get(path)).toEqual({ ...FILE, path });
    });
  });
}
