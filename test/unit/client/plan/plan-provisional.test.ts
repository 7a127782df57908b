import { beforeEach, expect, it } from 'vitest';
import type { ItemPath } from '../../../../common/feed/item.js';
import { localFile, PlannedTrees, text } from '../../../support/client/planned-trees.js';

const DELETION = { kind: 'deletion' } as const;

let trees: PlannedTrees;
beforeEach(() => {
  trees = new PlannedTrees();
});

it('what an agent was told is done, for as long as agents may still tell metadata', async () => {
  await trees.told('file', 1, text('ours'));
  await trees.told('gone', 2, DELETION);
  await trees.folderHas(localFile('file', 'ours'));
  expect(trees.planned().steps).toEqual([]);
});

it('then it is said to metadata, the very same change', async () => {
  const file = await trees.told('file', 1, text('ours'));
  const gone = await trees.told('gone', 2, DELETION);
  await trees.folderHas(localFile('file', 'ours'));
  const { operations } = trees.planned({ isProvisionalDue: true });
  expect(operations).toMatchObject([
    { kind: 'commit-item', path: 'file', offer: file, again: file, isProvisional: true },
    { kind: 'commit-item', path: 'gone', offer: gone, again: gone, isProvisional: true },
  ]);
});

it('what the folder holds since is a change of its own, with the next number', async () => {
  const told = await trees.told('file', 1, text('ours'));
  await trees.folderHas(localFile('file', 'ours, later'));
  const [operation] = trees.planned({ isProvisionalDue: true }).operations;
  const change = { ...told.change, counter: 2 };
  expect(operation).toMatchObject({ kind: 'commit-item', offer: { version: [change], change }, again: undefined });
});

it('what somebody else made of it is theirs to tell', async () => {
  await trees.told('file', 1, text('ours'));
  const theirs = trees.trees.remote.get('file' as ItemPath)!;
  const change = { replicaId: 'd'.repeat(32) as typeof theirs.change.replicaId, counter: 1 };
  const later = { ...theirs, change, version: [...theirs.version, change], at: { wallMs: 9, logical: 0 } };
  await trees.trees.write({ remote: new Map([[later.path, { ...later, content: text('theirs') }]]) });
  await trees.trees.write({ synced: new Map([[later.path, { ...later, content: text('theirs') }]]) });
  await trees.folderHas(localFile('file', 'theirs'));
  expect(trees.planned({ isProvisionalDue: true }).steps).toEqual([]);
});
