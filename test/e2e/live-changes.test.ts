import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { expect } from 'vitest';
import { folderDifferences } from '../support/compare-trees.js';
import { fleetTest } from '../support/fleet-test.js';
import type { Fleet } from '../support/fleet.js';
import { editTree } from '../support/tree-edits.js';
import { makeTree } from '../support/trees.js';
import { waitUntil } from '../support/wait-until.js';

async function untilSame(fleet: Fleet, what: string): Promise<void> {
  await waitUntil(`both folders are the same after ${what}`, () => {
    return folderDifferences(fleet.folder('a'), fleet.folder('b')).length === 0;
  });
}

/** Both folders hold the same tree, and both clients watch. */
async function startWatching(fleet: Fleet): Promise<{ a: string; b: string }> {
  await fleet.startAll('shared', 1);
  const [a, b] = [fleet.folder('a'), fleet.folder('b')];
  makeTree(a, { seed: 4, fileCount: 100 });
  fleet.sync('a', 'shared');
  fleet.sync('b', 'shared');
  await untilSame(fleet, 'the start');
  return { a, b };
}

fleetTest('every kind of change made while both clients watch arrives at the other', async ({ fleet }) => {
  const { a, b } = await startWatching(fleet);
  const steps: readonly (readonly [string, () => void])[] = [
    ['a new file', () => writeFileSync(`${a}/new.txt`, 'new')],
    ['a new file on the other side', () => writeFileSync(`${b}/from b.txt`, 'from b')],
    ['an edit', () => appendFileSync(`${b}/new.txt`, ' and longer')],
    ['an empty file', () => writeFileSync(`${a}/empty`, '')],
    ['an empty directory', () => mkdirSync(`${a}/hollow/inside`, { recursive: true })],
    ['an executable bit', () => chmodSync(`${a}/new.txt`, 0o755)],
    ['a modification time', () => utimesSync(`${b}/from b.txt`, 1_600_000_000, 1_600_000_000)],
    ['a symlink', () => symlinkSync('new.txt', `${a}/link`)],
    [
      'a symlink that leads elsewhere',
      () => {
        unlinkSync(`${a}/link`);
        symlinkSync('nowhere', `${a}/link`);
      },
    ],
    ['a renamed file', () => renameSync(`${a}/new.txt`, `${a}/renamed.txt`)],
    ['a renamed directory', () => renameSync(`${b}/odd`, `${b}/even`)],
    ['a deleted file', () => rmSync(`${b}/renamed.txt`)],
    ['a deleted directory', () => rmSync(`${a}/even`, { recursive: true })],
    [
      'a file in place of a directory',
      () => {
        rmSync(`${a}/hollow`, { recursive: true });
        writeFileSync(`${a}/hollow`, 'solid');
      },
    ],
    [
      'a directory in place of a file',
      () => {
        rmSync(`${b}/hollow`);
        mkdirSync(`${b}/hollow`);
      },
    ],
  ];
  for (const [what, change] of steps) {
    change();
    expect(folderDifferences(a, b), `${what} was not made`).not.toEqual([]);
    await untilSame(fleet, what);
  }
});

fleetTest('many random changes, made at both sides in turn, leave both folders the same', async ({ fleet }) => {
  const { a, b } = await startWatching(fleet);
  for (let round = 0; round < 6; round++) {
    editTree(round % 2 === 0 ? a : b, `round ${round}`, 30);
    await untilSame(fleet, `round ${round}`);
  }
});

fleetTest('changes made while no client runs are found at the next start', async ({ fleet }) => {
  await fleet.startAll('shared', 1);
  const [a, b] = [fleet.folder('a'), fleet.folder('b')];
  makeTree(a, { seed: 5, fileCount: 100 });
  for (let round = 0; round < 3; round++) {
    expect(await fleet.syncOnce('a', 'shared')).toMatchObject({ code: 0, summary: { conflicts: 0 } });
    expect(await fleet.syncOnce('b', 'shared')).toMatchObject({ code: 0, summary: { conflicts: 0 } });
    expect(folderDifferences(a, b)).toEqual([]);
    editTree(round % 2 === 0 ? a : b, `offline ${round}`, 40);
    if (round % 2 === 1) expect(await fleet.syncOnce('b', 'shared')).toMatchObject({ code: 0 });
  }
});
