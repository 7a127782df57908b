import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { folderDifferences } from '../support/compare-trees.js';
import { fleetTest } from '../support/fleet-test.js';
import { seededRandom } from '../support/seeded-random.js';
import { waitUntil } from '../support/wait-until.js';

const MIB = 1024 * 1024;

fleetTest(
  'a file that changes while it is read is committed as it is in the end, and never as a mixture',
  async ({ fleet }) => {
    await fleet.startAll('shared', 1);
    const [a, b] = [fleet.folder('a'), fleet.folder('b')];
    const path = join(a, 'log.bin');
    const random = seededRandom('restless');
    writeFileSync(path, random.bytes(40 * MIB));
    fleet.sync('a', 'shared');
    fleet.sync('b', 'shared');
    for (let round = 0; round < 60; round++) {
      appendFileSync(path, random.bytes(100_000));
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    await waitUntil('both folders are the same', () => folderDifferences(a, b).length === 0);
  },
);

fleetTest(
  'a file that changes for as long as a single sync lasts is reported, and the rest is synced',
  async ({ fleet }) => {
    await fleet.startAll('shared', 1);
    const a = fleet.folder('a');
    const random = seededRandom('never still');
    writeFileSync(join(a, 'never still.bin'), random.bytes(8 * MIB));
    writeFileSync(join(a, 'still.txt'), 'still');
    const writing = setInterval(() => appendFileSync(join(a, 'never still.bin'), 'x'), 2);
    const finished = await fleet.syncOnce('a', 'shared');
    clearInterval(writing);
    expect(finished.code).toBe(1);
    expect(finished.events).toContainEqual(expect.objectContaining({ event: 'problem', name: 'never still.bin' }));
    const listed = await fleet.run(['ls', 'shared']);
    expect((listed.events[0]!.items as { path: string }[]).map(({ path }) => path)).toContain('still.txt');
  },
);

fleetTest('files and directories that vanish while they are synced leave both folders the same', async ({ fleet }) => {
  await fleet.startAll('shared', 1);
  const [a, b] = [fleet.folder('a'), fleet.folder('b')];
  const random = seededRandom('vanishing');
  fleet.sync('a', 'shared');
  fleet.sync('b', 'shared');
  for (let round = 0; round < 20; round++) {
    const directory = join(a, `round ${round}`);
    mkdirSync(directory);
    for (let index = 0; index < 30; index++) writeFileSync(join(directory, String(index)), random.bytes(20_000));
    await new Promise((resolve) => setTimeout(resolve, 20 + round * 10));
    if (round % 2 === 0) rmSync(directory, { recursive: true });
    else rmSync(join(directory, '7'));
  }
  await waitUntil('both folders are the same', () => folderDifferences(a, b).length === 0);
});
