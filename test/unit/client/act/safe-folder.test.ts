import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FolderChanged, SafeFolder } from '../../../../client/act/disk/safe-folder.js';
import type { Place } from '../../../../client/act/disk/disk-task.js';
import type { ItemPath } from '../../../../common/feed/item.js';
import { temporaryDirectory } from '../../../support/temporary-directory.js';

const placeOf = (path: string): Place => ({ path: path as ItemPath, diskPath: path });

describe.each([
  ['opens', process.platform === 'linux'],
  ['looks at', false],
])('a folder that %s each directory on the way to a place', (_, opensTheWay) => {
  test('acts where the place is, and says where that lies', () => {
    const root = temporaryDirectory();
    mkdirSync(join(root, 'a/b'), { recursive: true });
    const folder = new SafeFolder(root, opensTheWay);
    for (const path of ['top', 'a/b/below']) {
      folder.at(placeOf(path), (spot) => {
        expect(spot.standing()).toBeUndefined();
        writeFileSync(spot.path, 'text');
        expect(join(spot.directory, spot.path.replace(/.*\//, ''))).toBe(join(root, path));
      });
      expect(folder.standing(placeOf(path))).toMatchObject({ kind: 'file', path });
    }
  });

  test('goes through no symlink, missing directory or file', () => {
    const root = temporaryDirectory();
    const outside = temporaryDirectory();
    mkdirSync(join(root, 'a'));
    symlinkSync(outside, join(root, 'a/link'));
    writeFileSync(join(root, 'file'), '');
    const folder = new SafeFolder(root, opensTheWay);
    for (const path of ['a/link/x', 'a/link/y/x', 'gone/x']) {
      expect(() => folder.at(placeOf(path), () => 'reached')).toThrow();
    }
    expect(() => folder.at(placeOf('.drystone/x'), () => 'reached')).toThrow(FolderChanged);
  });
});

test('who puts a symlink into the place of a directory at this very moment is too late', () => {
  const root = temporaryDirectory();
  const outside = temporaryDirectory();
  mkdirSync(join(root, 'd'));
  new SafeFolder(root).at(placeOf('d/file'), (spot) => {
    renameSync(join(root, 'd'), join(root, 'moved'));
    symlinkSync(outside, join(root, 'd'));
    writeFileSync(spot.path, 'text');
  });
  // Elsewhere paths cannot begin at an open directory.
  const expected = process.platform === 'linux' ? 'file' : undefined;
  expect(new SafeFolder(root).standing(placeOf('moved/file'))?.kind).toBe(expected);
});
