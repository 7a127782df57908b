import { open } from 'lmdb';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openLmdbTreeStore } from '../../client/state/lmdb-tree-store.js';
import { MemoryTreeStore } from '../../client/state/memory-tree-store.js';
import type { FeedHistory } from '../../common/feed/feed-history.js';
import type { Item, ItemPath } from '../../common/feed/item.js';
import type { Cursor, NamespaceId } from '../../common/ids.js';
import { DIRECTORY, itemFrom, stateBy } from '../support/feed/sample-states.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { describeTreeStore } from './tree-store.js';

describeTreeStore('the memory engine', () => ({
  open: async () => new MemoryTreeStore(),
  cleanUp: async () => undefined,
}));

describeTreeStore('the LMDB engine', () => {
  let directory: string | undefined;
  return {
    async open() {
      directory = await mkdtemp(join(tmpdir(), 'drystone-state-'));
      return openLmdbTreeStore(join(directory, 'state'));
    },
    async cleanUp() {
      if (directory !== undefined) await rm(directory, { recursive: true });
    },
  };
});

test('the LMDB engine finds everything again after it was closed', async () => {
  const path = join(temporaryDirectory(), 'state');
  const before = openLmdbTreeStore(path);
  await before.claim('f'.repeat(32) as NamespaceId, 'a nonce');
  const local = new Map([['d' as ItemPath, { kind: 'directory', path: 'd' as ItemPath } as const]]);
  const offer = itemFrom('o', [stateBy('a', 1, 77, DIRECTORY)]);
  await before.write({ local, offered: new Map([[offer.path, offer]]), cursor: 42 as Cursor });
  await before.close();
  const after = openLmdbTreeStore(path);
  expect(after.namespaceId).toBe('f'.repeat(32));
  expect(after.nonce).toBe('a nonce');
  expect(after.cursor).toBe(42);
  expect(after.offered.get(offer.path)).toEqual(offer);
  expect([...after.local.pathsBelow('')]).toEqual(['d']);
  await after.close();
});

test('the LMDB engine believes no history of another cursor, such as a release leaves that knows of none', async () => {
  const path = join(temporaryDirectory(), 'state');
  const history = 'a'.repeat(16) as FeedHistory;
  const moveCursor = async (to: number): Promise<void> => {
    const root = open<Buffer, Buffer>({ path, encoding: 'binary', keyEncoding: 'binary' });
    await root.openDB<string, string>({ name: 'facts', encoding: 'string' }).put('cursor', String(to));
    await root.close();
  };
  const before = openLmdbTreeStore(path);
  await before.write({ cursor: 42 as Cursor, history });
  await before.close();
  const historyNow = async (): Promise<FeedHistory | undefined> => {
    const store = openLmdbTreeStore(path);
    const found = store.historyOf('metadata');
    await store.close();
    return found;
  };
  expect(await historyNow()).toBe(history);
  await moveCursor(43);
  expect(await historyNow()).toBeUndefined();
});

test('the LMDB engine finds open offers again, and of those that were offered with them none that is settled', async () => {
  const path = join(temporaryDirectory(), 'state');
  const before = openLmdbTreeStore(path);
  const [a, b] = ['a', 'b'].map((name) => itemFrom(name, [stateBy('a', 1, 77, DIRECTORY)])) as [Item, Item];
  const later = itemFrom('b', [stateBy('a', 2, 78, DIRECTORY)]);
  await before.write({ offered: new Map([a, b].map((item) => [item.path, item])) });
  await before.write({ remote: new Map([[a.path, a]]), synced: new Map([[a.path, a]]) });
  await before.write({ offered: new Map([[later.path, later]]) });
  await before.close();
  const after = openLmdbTreeStore(path);
  expect(after.offered.get(a.path)).toBeUndefined();
  expect(after.offered.get(b.path)).toEqual(later);
  await after.write({ remote: new Map([[b.path, later]]), synced: new Map([[b.path, later]]) });
  expect(after.offered.get(b.path)).toBeUndefined();
  await after.close();
  const root = open<Buffer, Buffer>({ path, encoding: 'binary', keyEncoding: 'binary' });
  const offered = root.openDB<Buffer, Buffer>({ name: 'offered', encoding: 'binary', keyEncoding: 'binary' });
  expect([...offered.getKeys()], 'records of nothing that is open are gone').toEqual([]);
  await root.close();
});

/** Lets this process write files up to this size; lmdb's write to a larger one fails then, as on a failing disk. */
function limitFileSize(limit: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${limit}:unlimited`]);
}

test('the LMDB engine outlives changes that a failing medium does not take, and has nothing of them', async () => {
  const path = join(temporaryDirectory(), 'state');
  const store = openLmdbTreeStore(path);
  await store.claim('f'.repeat(32) as NamespaceId, 'a nonce');
  const remote = (name: string) => {
    const items = Array.from({ length: 200 }, (_, at) => itemFrom(`${name} ${at}`, [stateBy('a', 1, 77, DIRECTORY)]));
    return new Map(items.map((item) => [item.path, item] as [ItemPath, Item]));
  };
  limitFileSize(4096);
  try {
    const failed = { code: 'INTERNAL', reason: 'STORE_FAILED' };
    const changes = [
      store.write({ remote: remote('lost') }),
      store.noteMode('online'),
      store.write({ remote: remote('x') }),
    ];
    for (const change of changes) await expect(change).rejects.toMatchObject(failed);
    await expect(store.claim('e'.repeat(32) as NamespaceId, 'another')).rejects.toMatchObject(failed);
    expect([[...store.remote.pathsBelow('')].length, store.remote.get('lost 1' as ItemPath), store.nonce]).toEqual([
      0,
      undefined,
      'a nonce',
    ]);
  } finally {
    limitFileSize('unlimited');
  }
  await store.write({ remote: remote('kept') });
  await store.close();
  const after = openLmdbTreeStore(path);
  expect([[...after.remote.pathsBelow('')].length, after.nonce]).toEqual([200, 'a nonce']);
  await after.close();
});
