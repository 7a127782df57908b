import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { systemClock, type Clock } from '../../../common/clock.js';
import { TreeScanner } from '../../../client/observe/scan-tree.js';
import type { ItemPath } from '../../../common/feed/item.js';
import type { ScanResult } from '../../../client/observe/observation.js';
import { asOrdinaryUser } from '../../support/observe/ordinary-user.js';
import { plant, scratchFolder } from '../../support/observe/scratch-folder.js';

const signal = new AbortController().signal;
const paths = (result: ScanResult): string[] => [...result.observations.keys()];

/** A scanner that has seen what `plan` planted. */
async function scanned(
  plan: (root: string) => void,
): Promise<{ root: string; scanner: TreeScanner; first: ScanResult }> {
  const root = scratchFolder();
  plan(root);
  const scanner = new TreeScanner(root, systemClock);
  return { root, scanner, first: await scanner.scanAll(signal) };
}

describe('scanning paths again', () => {
  test('scans everything where nothing has been scanned', async () => {
    const root = scratchFolder();
    plant(root, 'a/b');
    expect(paths(await new TreeScanner(root, systemClock).scanPaths([], signal))).toEqual(['a', 'a/b']);
  });

  test('looks where it is told, and nowhere else', async () => {
    const { root, scanner, first } = await scanned((folder) => {
      for (const path of ['a/told', 'a/untold', 'b/untold']) plant(folder, path, 'old');
    });
    for (const path of ['a/told', 'a/untold', 'b/untold', 'b/new']) plant(root, path, 'changed');
    const again = await scanner.scanPaths(['a/told'], signal);
    const sizeOf = (path: string): unknown => again.observations.get(path as ItemPath);
    expect(sizeOf('a/told')).toMatchObject({ stamp: { sizeBytes: 7 } });
    expect(sizeOf('a/untold')).toBe(first.observations.get('a/untold' as ItemPath));
    expect(sizeOf('b/untold')).toBe(first.observations.get('b/untold' as ItemPath));
    expect(sizeOf('b/new')).toBeUndefined();
  });

  test('takes note of new and missing names beside the path that it is told', async () => {
    const { root, scanner } = await scanned((folder) => {
      for (const path of ['a', 'b', 'c/d']) plant(folder, path);
    });
    rmSync(join(root, 'b'));
    rmSync(join(root, 'c'), { recursive: true });
    plant(root, 'new/deep/file');
    expect(paths(await scanner.scanPaths(['a'], signal))).toEqual(['a', 'new', 'new/deep', 'new/deep/file']);
  });

  test('finds a new path from the nearest directory that it knows', async () => {
    const { root, scanner } = await scanned((folder) => plant(folder, 'a/file'));
    plant(root, 'a/b/c/d');
    expect(paths(await scanner.scanPaths(['a/b/c/d'], signal))).toEqual(['a', 'a/b', 'a/file', 'a/b/c', 'a/b/c/d']);
  });

  test('looks at all of a directory in whose place another may be', async () => {
    const { root, scanner } = await scanned((folder) => plant(folder, 'a/b/file', 'old'));
    rmSync(join(root, 'a'), { recursive: true });
    plant(root, 'a/b/file', 'another');
    const again = await scanner.scanPaths(['a'], signal);
    expect(again.observations.get('a/b/file' as ItemPath)).toMatchObject({ stamp: { sizeBytes: 7 } });
  });

  test('follows a change of kind', async () => {
    const { root, scanner } = await scanned((folder) => plant(folder, 'a/b'));
    rmSync(join(root, 'a'), { recursive: true });
    plant(root, 'a', 'now a file');
    expect(paths(await scanner.scanPaths(['a/b'], signal))).toEqual(['a']);
    rmSync(join(root, 'a'));
    mkdirSync(join(root, 'a'));
    const again = await scanner.scanPaths(['a'], signal);
    expect(again.observations.get('a' as ItemPath)).toEqual({ kind: 'directory', path: 'a' });
  });

  test('applies a changed ignore file to everything below it', async () => {
    const { root, scanner } = await scanned((folder) => {
      for (const path of ['a/b/x.log', 'a/b/y', 'x.log']) plant(folder, path);
    });
    plant(root, 'a/.drystoneignore', '*.log');
    const ignoring = await scanner.scanPaths(['a/.drystoneignore'], signal);
    expect(paths(ignoring)).toEqual(['a', 'x.log', 'a/.drystoneignore', 'a/b', 'a/b/y']);
    rmSync(join(root, 'a/.drystoneignore'));
    const all = await scanner.scanPaths(['a/.drystoneignore'], signal);
    expect(paths(all)).toEqual(['a', 'x.log', 'a/b', 'a/b/x.log', 'a/b/y']);
  });
});

describe('a directory that may not be read', () => {
  test('is unseen with all that it holds, until it may', async () => {
    const { root, scanner } = await scanned((folder) => {
      chmodSync(folder, 0o755);
      plant(folder, 'closed/deep/file');
      plant(folder, 'open/file');
    });
    chmodSync(join(root, 'closed'), 0);
    const closed = await asOrdinaryUser(() => scanner.scanAll(signal));
    expect(paths(closed)).toEqual(['open', 'open/file']);
    expect(closed.unseen).toEqual(new Set(['closed']));
    expect(closed.problems).toMatchObject([{ name: 'closed' }]);
    expect(closed.problems[0]!.problem).toContain('EACCES');

    chmodSync(join(root, 'closed'), 0o755);
    const reopened = await asOrdinaryUser(() => scanner.scanPaths(['open/file'], signal));
    expect(paths(reopened)).toEqual(['closed', 'open', 'closed/deep', 'closed/deep/file', 'open/file']);
    expect(reopened).toMatchObject({ unseen: new Set(), problems: [] });
  });

  test('is unseen too where its names may be read but not what they stand for', async () => {
    const { root, scanner } = await scanned((folder) => {
      chmodSync(folder, 0o755);
      plant(folder, 'half/file');
      plant(folder, 'half/directory/file');
    });
    chmodSync(join(root, 'half'), 0o744);
    const half = await asOrdinaryUser(() => scanner.scanAll(signal));
    expect(paths(half)).toEqual(['half']);
    expect(half.unseen).toEqual(new Set(['half/file', 'half/directory']));
  });
});

/** A clock that, whenever it is asked, lets `act` do something between two steps of a scan. */
function actingClock(act: (call: number) => void): Clock {
  let calls = 0;
  return {
    ...systemClock,
    monotonicMs() {
      act(++calls);
      return 0;
    },
  };
}

describe('a directory that goes while it is scanned', () => {
  test('is found to be what it is by the same scan', async () => {
    const root = scratchFolder();
    plant(root, 'a/file');
    const clock = actingClock((call) => {
      // The root has been listed, the directory in it has not.
      if (call !== 2) return;
      rmSync(join(root, 'a'), { recursive: true });
      plant(root, 'a', 'now a file');
    });
    const result = await new TreeScanner(root, clock).scanAll(signal);
    expect(result.observations.get('a' as ItemPath)).toMatchObject({ kind: 'file' });
    expect(result).toMatchObject({ unseen: new Set(), problems: [] });
  });

  test('again and again, is unseen, and looked at by the next scan without being told', async () => {
    const root = scratchFolder();
    let restless = true;
    const clock = actingClock((call) => {
      if (!restless) return;
      rmSync(join(root, 'a'), { recursive: true, force: true });
      // A walk asks before it begins, after the root and after the directory.
      plant(root, call % 3 === 2 ? 'a' : 'a/file');
    });
    const scanner = new TreeScanner(root, clock);
    const unsettled = await scanner.scanAll(signal);
    expect(paths(unsettled)).toEqual([]);
    expect(unsettled).toMatchObject({ unseen: new Set(['a']), problems: [] });

    restless = false;
    rmSync(join(root, 'a'), { recursive: true });
    plant(root, 'a', 'a file in the end');
    const settled = await scanner.scanPaths([], signal);
    expect(paths(settled)).toEqual(['a']);
    expect(settled.unseen.size).toBe(0);
  });
});
