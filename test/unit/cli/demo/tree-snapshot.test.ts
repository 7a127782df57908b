import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { takeSnapshot } from '../../../../cli/demo/tree-snapshot.js';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'drystone-snapshot-'));
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

test('lists all that lies below the root, in the order of its paths, but the state of the sync', async () => {
  await mkdir(join(root, 'b/empty'), { recursive: true });
  await mkdir(join(root, '.drystone'));
  await writeFile(join(root, '.drystone/lock'), '');
  await writeFile(join(root, 'b/file'), 'four');
  await writeFile(join(root, 'a'), '');
  const snapshot = await takeSnapshot(root, true, new AbortController().signal);
  expect([...snapshot.keys()]).toEqual(['a', 'b', 'b/empty', 'b/file']);
  expect(snapshot.get('b/file')).toMatchObject({ kind: 'file', sizeBytes: 4, executable: false });
});

test('does not follow symlinks, not even one to a directory above it', async () => {
  await mkdir(join(root, 'below'));
  await symlink('..', join(root, 'below/up'));
  await symlink('.', join(root, 'here'));
  const snapshot = await takeSnapshot(root, true, new AbortController().signal);
  expect([...snapshot]).toEqual([
    ['below', { kind: 'directory' }],
    ['below/up', { kind: 'symlink', target: '..' }],
    ['here', { kind: 'symlink', target: '.' }],
  ]);
});
