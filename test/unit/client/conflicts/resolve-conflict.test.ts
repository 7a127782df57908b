import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { resolveConflict, type Keep } from '../../../../client/conflicts/resolve-conflict.js';
import { MemoryTreeStore } from '../../../../client/state/memory-tree-store.js';
import { conflictPath } from '../../../../common/feed/conflict-name.js';
import type { Item, ItemContent, ItemPath } from '../../../../common/feed/item.js';
import type { DeviceId } from '../../../../common/ids.js';
import { folderOf } from '../../../support/client/folder.js';
import { textFile } from '../../../support/feed/history.js';
import { itemFrom, stateBy } from '../../../support/feed/sample-states.js';
import { temporaryDirectory } from '../../../support/temporary-directory.js';

const PATH = 'd/notes.txt' as ItemPath;
const marks = { device: 'a'.repeat(32) as DeviceId, dateMs: Date.UTC(2026, 2, 1), tag: '' };
const COPY = conflictPath(PATH, { ...marks, number: 1 });
const SECOND_COPY = conflictPath(PATH, { ...marks, number: 2 });

function itemAt(path: string, content: ItemContent): Item {
  return itemFrom(path, [stateBy('a', 1, 1, content)]);
}

let root: string;
let trees: MemoryTreeStore;

/** Puts a file there that is synced. */
async function plant(path: ItemPath, text: string): Promise<void> {
  writeFileSync(join(root, path), text);
  await agree(itemAt(path, textFile(text)));
}

/** Both sides have agreed on an item. */
async function agree(item: Item): Promise<void> {
  const items = new Map([[item.path, item]]);
  await trees.write({ remote: items, synced: items });
}

function texts(): Record<string, string> {
  const entries = Object.entries(folderOf(root)).filter(([, state]) => state !== 'directory');
  return Object.fromEntries(entries.map(([path, state]) => [path, state.replace(/^\d+ /, '')]));
}

function resolving(path: string, keep: Keep): Promise<unknown> {
  return resolveConflict({ root, trees }, path as ItemPath, keep);
}

beforeEach(async () => {
  root = temporaryDirectory();
  trees = new MemoryTreeStore();
  mkdirSync(join(root, 'd'));
  mkdirSync(join(root, '.drystone/tmp'), { recursive: true });
  await plant(PATH, 'as it stands');
  await plant(COPY, 'as the other had it');
});

describe('of a path and its copy', () => {
  test.each([PATH, COPY])('mine keeps the original and removes the copy: %s', async (path) => {
    expect(await resolving(path, 'mine')).toEqual([{ path: PATH, copy: COPY, keep: 'mine', keptAs: undefined }]);
    expect(texts()).toEqual({ [PATH]: 'as it stands' });
  });

  test.each([PATH, COPY])('theirs puts the copy in the original’s place: %s', async (path) => {
    expect(await resolving(path, 'theirs')).toEqual([{ path: PATH, copy: COPY, keep: 'theirs', keptAs: PATH }]);
    expect(texts()).toEqual({ [PATH]: 'as the other had it' });
  });

  test('both gives the copy a plain name that nothing else has, in the folder or in the namespace', async () => {
    writeFileSync(join(root, 'd/NOTES (2).txt'), 'somebody else');
    await trees.write({ remote: new Map([['d/notes (3).txt' as ItemPath, itemAt('d/notes (3).txt', textFile('x'))]]) });
    const keptAs = 'd/notes (4).txt';
    expect(await resolving(COPY, 'both')).toEqual([{ path: PATH, copy: COPY, keep: 'both', keptAs }]);
    expect(texts()).toEqual({
      [PATH]: 'as it stands',
      'd/NOTES (2).txt': 'somebody else',
      [keptAs]: 'as the other had it',
    });
  });
});

describe('nothing is lost', () => {
  test('a copy that was changed since is not removed', async () => {
    writeFileSync(join(root, COPY), 'as the other had iT');
    await expect(resolving(PATH, 'mine')).rejects.toMatchObject({ reason: 'CONFLICT_UNSETTLED' });
    expect(texts()).toMatchObject({ [COPY]: 'as the other had iT' });
  });

  test('an original that was changed since is not replaced', async () => {
    writeFileSync(join(root, PATH), 'as it standS');
    await expect(resolving(PATH, 'theirs')).rejects.toMatchObject({ reason: 'CONFLICT_UNSETTLED' });
    expect(texts()).toEqual({ [PATH]: 'as it standS', [COPY]: 'as the other had it' });
  });

  test('a copy that the namespace never had is not removed', async () => {
    await trees.write({ synced: new Map([[COPY, undefined]]) });
    await expect(resolving(PATH, 'mine')).rejects.toMatchObject({ reason: 'CONFLICT_UNSETTLED' });
    expect(texts()).toHaveProperty([COPY]);
  });

  test('what was never synced may have the plain name of its copy', async () => {
    await trees.write({ synced: new Map([[COPY, undefined]]) });
    await resolving(COPY, 'both');
    expect(texts()).toMatchObject({ 'd/notes (2).txt': 'as the other had it' });
  });

  test('a symlink in the original’s place is replaced only as it was synced', async () => {
    const link = 'link' as ItemPath;
    const copy = conflictPath(link, { ...marks, number: 1 });
    await plant(copy, 'a file');
    symlinkSync('elsewhere', join(root, link));
    await agree(itemAt(link, { kind: 'symlink', target: 'there' }));
    await expect(resolving(link, 'theirs')).rejects.toMatchObject({ reason: 'CONFLICT_UNSETTLED' });
    await trees.write({ synced: new Map([[link, itemAt(link, { kind: 'symlink', target: 'elsewhere' })]]) });
    await resolving(link, 'theirs');
    expect(texts()).toMatchObject({ [link]: 'a file' });
  });

  test('a directory is neither replaced nor removed', async () => {
    const copy = conflictPath('d' as ItemPath, { ...marks, number: 1 });
    await plant(copy, 'was a file');
    await agree(itemAt('d', { kind: 'directory' }));
    await expect(resolving('d', 'theirs')).rejects.toMatchObject({ reason: 'CONFLICT_UNSETTLED' });
    await resolving('d', 'both');
    expect(texts()).toMatchObject({ 'd (2)': 'was a file', [PATH]: 'as it stands' });
  });
});

describe('of several copies', () => {
  beforeEach(() => plant(SECOND_COPY, 'as a third had it'));

  test('mine removes all, one that is named alone', async () => {
    await resolving(SECOND_COPY, 'mine');
    expect(texts()).toHaveProperty([COPY]);
    await plant(SECOND_COPY, 'as a third had it');
    await resolving(PATH, 'mine');
    expect(texts()).toEqual({ [PATH]: 'as it stands' });
  });

  test('which one is to take the place has to be said', async () => {
    await expect(resolving(PATH, 'theirs')).rejects.toMatchObject({
      message: expect.stringContaining(SECOND_COPY) as string,
    });
    await resolving(SECOND_COPY, 'theirs');
    expect(texts()).toEqual({ [PATH]: 'as a third had it', [COPY]: 'as the other had it' });
  });
});

test('a path without a conflict is said to have none', async () => {
  await expect(resolving('d', 'mine')).rejects.toMatchObject({ code: 'NOT_FOUND', reason: 'CONFLICT_UNKNOWN' });
  await trees.write({ remote: new Map([[PATH, itemFrom(PATH, [stateBy('a', 2, 2, { kind: 'deletion' })])]]) });
  await expect(resolving(COPY, 'mine')).rejects.toMatchObject({ reason: 'CONFLICT_UNKNOWN' });
});
