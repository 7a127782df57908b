import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compareTrees, totalsOf } from '../../../../cli/demo/tree-comparison.js';
import { takeSnapshot } from '../../../../cli/demo/tree-snapshot.js';

let directory: string;
let left: string;
let right: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'drystone-compare-'));
  left = join(directory, 'left');
  right = join(directory, 'right');
  mkdirSync(join(left, 'folder/empty'), { recursive: true });
  writeFileSync(join(left, 'folder/file'), 'content');
  writeFileSync(join(left, 'none'), '');
  symlinkSync('folder/file', join(left, 'link'));
  for (const path of ['folder/file', 'none']) utimesSync(join(left, path), 1_700_000_000.123, 1_700_000_000.123);
  cpSync(left, right, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
});
afterEach(() => rmSync(directory, { recursive: true }));

async function differingPaths(readContents = true): Promise<readonly string[]> {
  const differences = compareTrees(
    await takeSnapshot(left, readContents, new AbortController().signal),
    await takeSnapshot(right, readContents, new AbortController().signal),
  );
  return differences.map(({ path }) => path);
}

describe('two folders', () => {
  it('are identical where all is the same', async () => {
    expect(await differingPaths()).toEqual([]);
    expect(totalsOf(await takeSnapshot(left, true, new AbortController().signal))).toEqual({
      files: 2,
      directories: 2,
      symlinks: 1,
      bytes: 7,
    });
  });

  it('may each hold a client’s own state', async () => {
    mkdirSync(join(right, '.drystone'));
    writeFileSync(join(right, '.drystone/lock'), 'x');
    expect(await differingPaths()).toEqual([]);
  });

  const changes: readonly [string, () => void, readonly string[]][] = [
    [
      'one byte',
      () => {
        writeFileSync(join(right, 'folder/file'), 'cOntent');
        utimesSync(join(right, 'folder/file'), 1_700_000_000.123, 1_700_000_000.123);
      },
      ['folder/file'],
    ],
    ['a length', () => writeFileSync(join(right, 'none'), 'x'), ['none']],
    ['a millisecond', () => utimesSync(join(right, 'folder/file'), 1, 1_700_000_000.124), ['folder/file']],
    ['an executable bit', () => chmodSync(join(right, 'folder/file'), 0o755), ['folder/file']],
    [
      'where a link leads',
      () => {
        unlinkSync(join(right, 'link'));
        symlinkSync('none', join(right, 'link'));
      },
      ['link'],
    ],
    [
      'a link and what it leads to',
      () => {
        unlinkSync(join(right, 'link'));
        copyFileSync(join(right, 'folder/file'), join(right, 'link'));
      },
      ['link'],
    ],
    ['an empty directory', () => rmSync(join(right, 'folder/empty'), { recursive: true }), ['folder/empty']],
    ['a name', () => renameSync(join(right, 'none'), join(right, 'nine')), ['nine', 'none']],
    ['something more', () => writeFileSync(join(right, 'folder/.hidden'), ''), ['folder/.hidden']],
  ];

  it.each(changes)('differ in %s', async (_what, change, paths) => {
    change();
    expect(await differingPaths()).toEqual(paths);
  });

  it('look the same at a glance where only bytes differ', async () => {
    writeFileSync(join(right, 'folder/file'), 'cOntent');
    utimesSync(join(right, 'folder/file'), 1_700_000_000.123, 1_700_000_000.123);
    expect(await differingPaths(false)).toEqual([]);
  });
});
