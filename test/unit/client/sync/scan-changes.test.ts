import { expect, test } from 'vitest';
import type { Observation, ScanResult } from '../../../../client/observe/observation.js';
import { MemoryTreeStore } from '../../../../client/state/memory-tree-store.js';
import { isLeftAlone, scanChanges } from '../../../../client/sync/scan-changes.js';
import type { ItemPath } from '../../../../common/feed/item.js';

const at = (path: string): ItemPath => path as ItemPath;

function file(path: string, inode = 1n): Observation {
  const stamp = { sizeBytes: 1, modifiedAtNs: 0n, changedAtNs: 0n, inode };
  return { kind: 'file', path: at(path), stamp, modifiedAtMs: 0, executable: false };
}

function scan(observations: readonly Observation[], unseen: string[] = [], ignored: string[] = []): ScanResult {
  return {
    observations: new Map(observations.map((observation) => [observation.path, observation])),
    unseen: new Set(unseen.map(at)),
    ignoreRules: { ignores: (path) => ignored.includes(path) },
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
  const changes = scanChanges(scan([file('same'), file('changed', 2n), file('new')]), undefined, [], local);
  expect(Object.fromEntries(changes)).toEqual({
    changed: { ...file('changed', 2n), blocks: undefined },
    new: { ...file('new'), blocks: undefined },
    gone: undefined,
  });
});

test('what is ignored or could not be seen is not taken for deleted, nor anything below it', async () => {
  const { local } = await known(file('closed/file'), file('ignored'), file('gone'));
  const result = scan([], ['closed'], ['ignored']);
  expect([...scanChanges(result, undefined, [], local).keys()]).toEqual(['gone']);
  expect(isLeftAlone(result, at('closed/file/deeper'), 'file')).toBe(true);
  expect(isLeftAlone(result, at('closed2'), 'file')).toBe(false);
});

test('against an earlier scan only what differs is looked at, and what the client has touched itself', async () => {
  const [kept, left] = [file('kept'), file('left')];
  const { local } = await known(kept, left, file('made by us, then deleted'), file('unknown to both'));
  const changes = scanChanges(scan([kept]), scan([kept, left]), [at('made by us, then deleted')], local);
  expect([...changes.keys()].sort()).toEqual(['left', 'made by us, then deleted']);
});

test('what an earlier scan could not see is compared as soon as one can', async () => {
  const { local } = await known({ kind: 'directory', path: at('closed') }, file('closed/deleted'), file('kept'));
  const changes = scanChanges(scan([file('closed'), file('kept')]), scan([file('kept')], ['closed']), [], local);
  expect([...changes.keys()].sort()).toEqual(['closed', 'closed/deleted']);
});
