import { expect, test } from 'vitest';
import type { Observation, ScanResult } from '../../../../client/observe/observation.js';
import { MemoryTreeStore } from '../../../../client/state/memory-tree-store.js';
import { isLeftAlone, opened, scanChanges } from '../../../../client/sync/scan-changes.js';
import type { Item, ItemPath } from '../../../../common/feed/item.js';
import { itemOf } from '../../../../common/feed/merge.js';
import type { ReplicaId } from '../../../../common/ids.js';

const at = (path: string): ItemPath => path as ItemPath;

function file(path: string, inode = 1n): Observation {
  const stamp = { sizeBytes: 1, modifiedAtNs: 0n, changedAtNs: 0n, inode };
  return { kind: 'file', path: at(path), stamp, modifiedAtMs: 0, executable: false };
}

const NO_RULES = { ignores: () => false };

function forgotten(path: string): ReadonlyMap<ItemPath, Item> {
  return new Map([[at(path), itemOf(at(path), [{ replicaId: 'a'.repeat(32) as ReplicaId, counter: 1 }], [])]]);
}

function scan(observations: readonly Observation[], unseen: string[] = [], ignored: string[] = []): ScanResult {
  return {
    observations: new Map(observations.map((observation) => [observation.path, observation])),
    unseen: new Set(unseen.map(at)),
    ignoreRules: ignored.length === 0 ? NO_RULES : { ignores: (path) => ignored.includes(path) },
    diskPaths: new Map(),
    problems: [],
  };
}

async function known(...observations: Observation[]): Promise<MemoryTreeStore> {
  const store = new MemoryTreeStore();
  const blocks = { hashes: Buffer.alloc(32), sizes: [1] };
  const entries = observations.map((entry) => (entry.kind === 'file' ? { ...entry, blocks } : entry));
  await store.write({ local: new Map(entries.map((entry) => [entry.path, entry])) });
  return store;
}

test('a file is as it was while its stamp is; else its blocks are unknown', async () => {
  const { local } = await known(file('same'), file('changed'), file('gone'));
  const changes = scanChanges(
    scan([file('same'), file('changed', 2n), file('new')]),
    undefined,
    local.pathsBelow(''),
    local,
  );
  expect(Object.fromEntries(changes)).toEqual({
    changed: { ...file('changed', 2n), blocks: undefined },
    new: { ...file('new'), blocks: undefined },
    gone: undefined,
  });
});

test('what is ignored or could not be seen is not taken for deleted, nor anything below it', async () => {
  const { local } = await known(file('closed/file'), file('ignored'), file('gone'));
  const result = scan([], ['closed'], ['ignored']);
  expect([...scanChanges(result, undefined, local.pathsBelow(''), local).keys()]).toEqual(['gone']);
  expect(isLeftAlone(result, at('closed/file/deeper'), 'file')).toBe(true);
  expect(isLeftAlone(result, at('closed2'), 'file')).toBe(false);
});

test('against an earlier scan only what differs is looked at, and what the client has touched itself', async () => {
  const [kept, left] = [file('kept'), file('left')];
  const { local } = await known(kept, left, file('made by us, then deleted'), file('unknown to both'));
  const changes = scanChanges(scan([kept]), scan([kept, left]), [at('made by us, then deleted')], local);
  expect([...changes.keys()].sort()).toEqual(['left', 'made by us, then deleted']);
});

test('what an earlier scan could not see is compared, and planned, as soon as one can', async () => {
  const trees = await known({ kind: 'directory', path: at('closed') }, file('closed/deleted'), file('kept'));
  await trees.write({ remote: forgotten('closed/new') });
  const [scanNow, before] = [scan([file('closed'), file('kept')]), scan([file('kept')], ['closed'])];
  const news = opened(scanNow, before, trees);
  expect([...news].sort()).toEqual(['closed', 'closed/deleted', 'closed/new']);
  expect([...scanChanges(scanNow, before, news, trees.local).keys()].sort()).toEqual(['closed', 'closed/deleted']);
});

test('where rules have changed, everything is compared and planned anew', async () => {
  const trees = await known(file('ignored before'), file('kept'));
  await trees.write({ remote: forgotten('elsewhere') });
  const before = scan([file('kept')], [], ['ignored before']);
  const scanNow = scan([file('kept')]);
  const news = opened(scanNow, before, trees);
  expect([...news].sort()).toEqual(['elsewhere', 'ignored before', 'kept']);
  expect([...scanChanges(scanNow, before, news, trees.local).keys()]).toEqual(['ignored before']);
  expect([...opened(scanNow, scanNow, trees)]).toEqual([]);
});

test('what still cannot be seen is left as it was decided about', async () => {
  const trees = await known(file('closed/file'), file('kept'));
  const stillClosed = scan([file('kept')], ['closed']);
  expect([...opened(stillClosed, scan([file('kept')], ['closed']), trees)]).toEqual([]);
});
