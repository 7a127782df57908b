import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folderOf } from '../../../support/client/folder.js';
import { InProcessFleet } from '../../../support/client/in-process-fleet.js';
import { seededRandom } from '../../../support/seeded-random.js';
import { waitUntil } from '../../../support/wait-until.js';
import { writeAfter } from '../../../support/write-after.js';

const BIG_BYTES = 5 * 1024 * 1024;

function furnish(root: string): void {
  mkdirSync(join(root, 'deep/er'), { recursive: true });
  mkdirSync(join(root, 'empty directory'));
  writeFileSync(join(root, 'small.txt'), 'small');
  writeFileSync(join(root, 'empty.txt'), '');
  writeFileSync(join(root, 'deep/er/big'), seededRandom('big').bytes(BIG_BYTES));
  writeFileSync(join(root, 'run.sh'), '#!/bin/sh\n');
  chmodSync(join(root, 'run.sh'), 0o755);
  symlinkSync('deep/er', join(root, 'link'));
  utimesSync(join(root, 'small.txt'), 1_234_567_890.123, 1_234_567_890.123);
}

test('a folder becomes the same folder elsewhere, with everything that is in it', async () => {
  const fleet = await InProcessFleet.start();
  const [a, b] = [fleet.folder('a'), fleet.folder('b')];
  furnish(a);
  const up = await fleet.syncOnce('a');
  expect(up).toMatchObject({ itemsCommitted: 8, blocksMissing: up.blocksAsked, blocksUploaded: up.blocksAsked });
  const down = await fleet.syncOnce('b');
  expect(folderOf(b)).toEqual(folderOf(a));
  expect(down).toMatchObject({ itemsApplied: 8, itemsCommitted: 0, filesFetched: 4, problems: 0, conflicts: 0 });
});

test('where nothing has changed nothing is asked, read or written', async () => {
  const fleet = await InProcessFleet.start();
  furnish(fleet.folder('a'));
  await fleet.syncOnce('a');
  const again = await fleet.syncOnce('a');
  expect(again).toMatchObject({ itemsCommitted: 0, itemsApplied: 0, blocksAsked: 0 });
});

test('one block is sent once, however often it occurs, and not at all where the target has it', async () => {
  const fleet = await InProcessFleet.start();
  const a = fleet.folder('a');
  mkdirSync(a);
  for (let number = 0; number < 50; number++) writeFileSync(join(a, `copy ${number}`), 'the same in all');
  const first = await fleet.syncOnce('a');
  expect(first).toMatchObject({ itemsCommitted: 50, blocksUploaded: 1, bytesUploaded: 15, bytesSaved: 49 * 15 });
  writeFileSync(join(a, 'one more'), 'the same in all');
  const second = await fleet.syncOnce('a');
  expect(second).toMatchObject({ itemsCommitted: 1, blocksAsked: 1, blocksMissing: 0, blocksUploaded: 0 });
});

test('a change within a big file moves only the blocks that changed, in both directions', async () => {
  const fleet = await InProcessFleet.start();
  const [a, b] = [fleet.folder('a'), fleet.folder('b')];
  furnish(a);
  await fleet.syncOnce('a');
  await fleet.syncOnce('b');
  const content = readFileSync(join(a, 'deep/er/big'));
  writeFileSync(join(a, 'deep/er/big'), Buffer.concat([Buffer.from('x'), content]));
  const up = await fleet.syncOnce('a');
  expect(up.bytesUploaded).toBeLessThan(BIG_BYTES / 2);
  const down = await fleet.syncOnce('b');
  expect(folderOf(b)).toEqual(folderOf(a));
  expect(down.bytesFromLocal + down.bytesFetched).toBe(BIG_BYTES + 1);
  expect(down.bytesFetched).toBe(up.bytesUploaded);
});

test('a renamed folder moves without a byte being sent, fetched or copied', async () => {
  const fleet = await InProcessFleet.start();
  const [a, b] = [fleet.folder('a'), fleet.folder('b')];
  furnish(a);
  await fleet.syncOnce('a');
  await fleet.syncOnce('b');
  const inode = statSync(join(b, 'deep/er/big')).ino;
  renameSync(join(a, 'deep'), join(a, 'moved'));
  expect(await fleet.syncOnce('a')).toMatchObject({ blocksUploaded: 0 });
  expect(await fleet.syncOnce('b')).toMatchObject({ filesMoved: 1, filesFetched: 0, bytesFromLocal: 0 });
  expect(folderOf(b)).toEqual(folderOf(a));
  expect(statSync(join(b, 'moved/er/big')).ino).toBe(inode);
});

test('deletions, attributes and changes of kind travel', async () => {
  const fleet = await InProcessFleet.start();
  const [a, b] = [fleet.folder('a'), fleet.folder('b')];
  furnish(a);
  await fleet.syncOnce('a');
  await fleet.syncOnce('b');
  rmSync(join(a, 'deep'), { recursive: true });
  writeFileSync(join(a, 'deep'), 'was a directory');
  rmSync(join(a, 'small.txt'));
  mkdirSync(join(a, 'small.txt'));
  chmodSync(join(a, 'run.sh'), 0o644);
  utimesSync(join(a, 'empty.txt'), 1000, 1000);
  rmSync(join(a, 'link'));
  writeFileSync(join(a, 'link'), 'was a symlink');
  await fleet.syncOnce('a');
  expect(await fleet.syncOnce('b')).toMatchObject({ conflicts: 0, problems: 0 });
  expect(folderOf(b)).toEqual(folderOf(a));
});

test('of two edits of one file the later stands, the other is kept, and every folder comes to hold both', async () => {
  const fleet = await InProcessFleet.start();
  const [a, b] = [fleet.folder('a'), fleet.folder('b')];
  furnish(a);
  await fleet.syncOnce('a');
  await fleet.syncOnce('b');
  writeFileSync(join(a, 'small.txt'), 'by a');
  writeAfter(join(a, 'small.txt'), join(b, 'small.txt'), 'by b');
  await fleet.syncOnce('a');
  const { witness, conflicts } = await fleet.syncOnce('b');
  await fleet.syncOnce('a');
  expect(conflicts).toBe(1);
  const [conflict] = witness.conflicts;
  expect(conflict?.path).toBe('small.txt');
  expect(conflict?.keptAs).toMatch(/^small \(conflicted copy, [0-9a-f]{8}, \d{4}-\d\d-\d\d, 2\)\.txt$/);
  expect(readFileSync(join(b, 'small.txt'), 'utf8')).toBe('by b');
  expect(readFileSync(join(b, conflict?.keptAs ?? ''), 'utf8')).toBe('by a');
  expect(folderOf(a)).toEqual(folderOf(b));
});

test('who comes back later has not written last: what was saved last stands', async () => {
  const fleet = await InProcessFleet.start();
  const [a, b] = [fleet.folder('a'), fleet.folder('b')];
  furnish(a);
  await fleet.syncOnce('a');
  await fleet.syncOnce('b');
  writeFileSync(join(b, 'small.txt'), 'by b, before');
  writeAfter(join(b, 'small.txt'), join(a, 'small.txt'), 'by a, after');
  await fleet.syncOnce('a');
  expect(await fleet.syncOnce('b')).toMatchObject({ conflicts: 1 });
  await fleet.syncOnce('a');
  expect(readFileSync(join(b, 'small.txt'), 'utf8')).toBe('by a, after');
  expect(folderOf(a)).toEqual(folderOf(b));
  expect(Object.values(folderOf(a)).join()).toContain('by b, before');
});

test('two folders on one device that change one file both keep what was written', async () => {
  const fleet = await InProcessFleet.start();
  const [a, b] = [fleet.folder('a'), fleet.folder('b')];
  furnish(a);
  await fleet.syncOnce('a');
  await fleet.syncOnce('b', { device: 'a' });
  writeFileSync(join(a, 'small.txt'), 'in the one');
  writeFileSync(join(b, 'small.txt'), 'in the other');
  await fleet.syncOnce('a');
  await fleet.syncOnce('b', { device: 'a' });
  await fleet.syncOnce('a');
  expect(folderOf(a)).toEqual(folderOf(b));
  const texts = Object.values(folderOf(a)).join();
  expect(texts).toContain('in the one');
  expect(texts).toContain('in the other');
});

test('what a client knows can be thrown away', async () => {
  const fleet = await InProcessFleet.start();
  const a = fleet.folder('a');
  furnish(a);
  await fleet.syncOnce('a');
  const before = folderOf(a);
  rmSync(join(a, '.drystone'), { recursive: true });
  const again = await fleet.syncOnce('a');
  expect(again).toMatchObject({ itemsCommitted: 0, filesFetched: 0, blocksUploaded: 0, conflicts: 0 });
  expect(folderOf(a)).toEqual(before);
});

test('what is ignored is neither sent nor fetched nor taken for deleted', async () => {
  const fleet = await InProcessFleet.start();
  const [a, b] = [fleet.folder('a'), fleet.folder('b')];
  mkdirSync(a);
  writeFileSync(join(a, 'kept.log'), 'sent before it was ignored');
  await fleet.syncOnce('a');
  writeFileSync(join(a, '.drystoneignore'), '*.log\n');
  writeFileSync(join(a, 'other.log'), 'never sent');
  await fleet.syncOnce('a');
  mkdirSync(b);
  writeFileSync(join(b, '.drystoneignore'), '*.log\n');
  await fleet.syncOnce('b');
  expect(Object.keys(folderOf(b))).toEqual(['.drystoneignore']);
  rmSync(join(b, '.drystoneignore'));
  await fleet.syncOnce('b');
  expect(existsSync(join(b, 'kept.log')), 'what is no longer ignored is fetched').toBe(true);
});

test('what rules no longer ignore is fetched at once where the folder is watched', async () => {
  const fleet = await InProcessFleet.start();
  const [a, b] = [fleet.folder('a'), fleet.folder('b')];
  mkdirSync(a);
  writeFileSync(join(a, 'kept.log'), 'wanted after all');
  await fleet.syncOnce('a');
  mkdirSync(b);
  writeFileSync(join(b, '.drystoneignore'), '*.log\n');
  const { witness } = await fleet.startClient('b', { once: false });
  await waitUntil('nothing is left to do', () => witness.phases.includes('quiet'));
  expect(existsSync(join(b, 'kept.log'))).toBe(false);
  rmSync(join(b, '.drystoneignore'));
  await waitUntil('the file has come', () => existsSync(join(b, 'kept.log')));
});

test('two folders that are watched follow each other', async () => {
  const fleet = await InProcessFleet.start();
  const [a, b] = [fleet.folder('a'), fleet.folder('b')];
  furnish(a);
  const first = await fleet.startClient('a', { once: false });
  await fleet.startClient('b', { once: false });
  await waitUntil('the second folder has everything', () => existsSync(join(b, 'deep/er/big')));
  writeFileSync(join(b, 'answer'), 'from b');
  await waitUntil('the answer has come', () => existsSync(join(a, 'answer')));
  rmSync(join(a, 'deep'), { recursive: true });
  await waitUntil('the deletion has come', () => !existsSync(join(b, 'deep')));
  await waitUntil('both are equal', () => JSON.stringify(folderOf(a)) === JSON.stringify(folderOf(b)));
  await first.sync.stop();
  expect(await first.sync.finished).toMatchObject({ conflicts: 0, problems: 0, filesFetched: 1 });
});
