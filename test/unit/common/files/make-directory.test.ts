import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeDirectory } from '../../../../common/files/make-directory.js';
import { temporaryDirectory } from '../../../support/temporary-directory.js';

const NOBODY = 65_534;

test('a directory is made with those above it, each with the mode that is asked for', async () => {
  const root = temporaryDirectory();
  const path = join(root, 'a', 'b', 'c');
  await makeDirectory(path, 0o700);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(statSync(join(root, 'a')).mode & 0o777).toBe(0o700);
});

test('a directory that is there stays as it is', async () => {
  const path = join(temporaryDirectory(), 'there');
  mkdirSync(path, { mode: 0o750 });
  writeFileSync(join(path, 'file'), 'kept');
  await makeDirectory(path, 0o700);
  expect(statSync(path).mode & 0o777).toBe(0o750);
  expect(statSync(join(path, 'file')).size).toBe(4);
});

test('many may make the same one at once', async () => {
  const path = join(temporaryDirectory(), 'a', 'b');
  await Promise.all(Array.from({ length: 8 }, () => makeDirectory(path)));
  expect(statSync(path).isDirectory()).toBe(true);
});

test('where a file stands in the way, the system says so', async () => {
  const root = temporaryDirectory();
  writeFileSync(join(root, 'file'), '');
  await expect(makeDirectory(join(root, 'file'))).rejects.toMatchObject({ reason: 'DIRECTORY_UNUSABLE' });
  await expect(makeDirectory(join(root, 'file', 'below'))).rejects.toMatchObject({ reason: 'DIRECTORY_UNUSABLE' });
});

test('where no directory can be made, it ends and says so', async () => {
  await expect(makeDirectory('/proc/drystone/below')).rejects.toMatchObject({
    reason: 'DIRECTORY_UNUSABLE',
    message: expect.stringContaining('choose another') as string,
  });
});

test('where what is made could not be made durable, nothing is made', async () => {
  const root = temporaryDirectory();
  // To be written to, not to be read: it cannot be synced.
  chmodSync(root, 0o333);
  const isRoot = process.geteuid?.() === 0;
  // Root may read it all the same.
  if (isRoot) process.seteuid?.(NOBODY);
  try {
    await expect(makeDirectory(join(root, 'a'))).rejects.toMatchObject({ reason: 'DIRECTORY_UNUSABLE' });
  } finally {
    if (isRoot) process.seteuid?.(0);
    chmodSync(root, 0o700);
  }
  expect(readdirSync(root)).toEqual([]);
});
