import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { folderDifferences, readTree } from '../support/compare-trees.js';
import { fleetTest } from '../support/fleet-test.js';
import { makeTree } from '../support/trees.js';

/** Copies installed packages into `target` until they have at least `fileCount` files: a folder that people really have. */
function copyPackages(target: string, fileCount: number): void {
  const source = join(process.cwd(), 'node_modules');
  let copied = 0;
  for (const name of readdirSync(source).filter((entry) => !entry.startsWith('.'))) {
    if (copied >= fileCount) return;
    mkdirSync(target, { recursive: true });
    cpSync(join(source, name), join(target, name), {
      recursive: true,
      preserveTimestamps: true,
      verbatimSymlinks: true,
    });
    copied += readdirSync(join(source, name), { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    ).length;
  }
}

fleetTest('a tree of more than 5,000 files with odd names arrives at another client as it was', async ({ fleet }) => {
  await fleet.startAll('shared', 2);
  const a = fleet.folder('a');
  copyPackages(join(a, 'packages'), 5_000);
  makeTree(a, { seed: 1, fileCount: 400 });
  const before = readTree(a);
  expect(before.size).toBeGreaterThan(5_000);

  const up = await fleet.syncOnce('a', 'shared');
  expect(up).toMatchObject({ code: 0, summary: { conflicts: 0, problems: 0, itemsCommitted: before.size } });
  expect(up.summary!.blocksUploaded).toBe(up.summary!.blocksMissing);

  const down = await fleet.syncOnce('b', 'shared');
  expect(down).toMatchObject({ code: 0, summary: { conflicts: 0, problems: 0, itemsApplied: before.size } });
  expect(down.summary!.blocksUploaded).toBe(0);
  expect(folderDifferences(a, fleet.folder('b'))).toEqual([]);
  expect([...readTree(a)]).toEqual([...before]);
});

fleetTest('a second client with the same files uploads nothing', async ({ fleet }) => {
  await fleet.startAll('shared', 1);
  makeTree(fleet.folder('a'), { seed: 2, fileCount: 200 });
  makeTree(fleet.folder('b'), { seed: 2, fileCount: 200 });
  await fleet.syncOnce('a', 'shared');
  const second = await fleet.syncOnce('b', 'shared');
  expect(second).toMatchObject({ code: 0, summary: { blocksUploaded: 0, blocksFetched: 0, conflicts: 0 } });
  expect(folderDifferences(fleet.folder('a'), fleet.folder('b'))).toEqual([]);
});

fleetTest('content that is already there is not sent again, under whatever name', async ({ fleet }) => {
  await fleet.startAll('shared', 1);
  makeTree(fleet.folder('a'), { seed: 3, fileCount: 100 });
  const first = await fleet.syncOnce('a', 'shared');
  cpSync(join(fleet.folder('a'), 'top'), join(fleet.folder('a'), 'copy'), { recursive: true });
  const second = await fleet.syncOnce('a', 'shared');
  expect(first.summary!.blocksUploaded).toBeGreaterThan(0);
  expect(second).toMatchObject({ code: 0, summary: { blocksUploaded: 0 } });
  expect(second.summary!.bytesSaved).toBeGreaterThan(0);
});
