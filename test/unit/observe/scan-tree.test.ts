import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../common/clock.js';
import { diskPathOf } from '../../../client/observe/disk-paths.js';
import { diskReader, type FolderReader } from '../../../client/observe/folder-reader.js';
import { TreeScanner } from '../../../client/observe/scan-tree.js';
import type { ItemPath } from '../../../common/feed/item.js';
import type { ScanResult } from '../../../client/observe/observation.js';
import { plant, plantPipe, requestFor, scratchFolder } from '../../support/observe/scratch-folder.js';

const signal = new AbortController().signal;
const scan = (root: string): Promise<ScanResult> => new TreeScanner(root, systemClock).scanAll(signal);
const paths = (result: ScanResult): string[] => [...result.observations.keys()];
const problemNames = (result: ScanResult): string[] => result.problems.map(({ name }) => name);

describe('a scan', () => {
  test('sees files, directories and symlinks, parents first, names in order', async () => {
    const root = scratchFolder();
    plant(root, 'b/deep/file');
    plant(root, 'b/a');
    plant(root, 'a', 'four');
    mkdirSync(join(root, 'empty'));
    symlinkSync('b/a', join(root, 'link'));
    chmodSync(join(root, 'b/a'), 0o755);
    utimesSync(join(root, 'a'), 0, 1234.567);

    const result = await scan(root);
    expect(paths(result)).toEqual(['a', 'b', 'empty', 'link', 'b/a', 'b/deep', 'b/deep/file']);
    expect(result.observations.get('a' as ItemPath)).toEqual({
      kind: 'file',
      path: 'a',
      stamp: requestFor(join(root, 'a')).stamp,
      modifiedAtMs: 1_234_567,
      executable: false,
    });
    expect(result.observations.get('b/a' as ItemPath)).toMatchObject({ executable: true });
    expect(result.observations.get('link' as ItemPath)).toEqual({ kind: 'symlink', path: 'link', target: 'b/a' });
    expect(result.observations.get('empty' as ItemPath)).toEqual({ kind: 'directory', path: 'empty' });
    expect(result).toMatchObject({ problems: [], unseen: new Set(), diskPaths: new Map() });
  });

  test('sees names that shells and other systems find odd', async () => {
    const root = scratchFolder();
    const names = [
      ' ',
      '-rf',
      '...',
      '..x',
      'new\nline',
      'tab\t',
      'quote"\'',
      'back\\slash',
      'ü 漢字 🪨',
      '*?[x]',
      'CON',
    ];
    for (const name of names) plant(root, name);
    expect(paths(await scan(root)).sort()).toEqual([...names].sort());
  });

  test('does not follow symlinks, in circles or out of the folder', async () => {
    const root = scratchFolder();
    plant(root, 'a/file');
    symlinkSync('..', join(root, 'a/up'));
    symlinkSync('/', join(root, 'out'));
    symlinkSync('nowhere', join(root, 'dangling'));
    expect(paths(await scan(root))).toEqual(['a', 'dangling', 'out', 'a/file', 'a/up']);
  });

  test('never sees what the client keeps at the root', async () => {
    const root = scratchFolder();
    plant(root, '.drystone/lock');
    plant(root, '.drystone-notes');
    expect(paths(await scan(root))).toEqual(['.drystone-notes']);
  });

  test('leaves a directory with the private mark to itself, and says so', async () => {
    const root = scratchFolder();
    plant(root, 'synced/.drystone/lock');
    plant(root, 'd/home/.drystone');
    plant(root, 'd/home/device.key');
    const result = await scan(root);
    expect(paths(result)).toEqual(['d']);
    expect([...result.unseen].sort()).toEqual(['d/home', 'synced']);
    expect(problemNames(result).sort()).toEqual(['d/home', 'synced']);
  });

  test('reports what would be the state of a client where case is ignored, at any depth', async () => {
    const root = scratchFolder();
    plant(root, '.DRYSTONE/access-token.json');
    plant(root, 'inside/.Drystone');
    const result = await scan(root);
    expect(paths(result)).toEqual(['inside']);
    expect(problemNames(result)).toEqual(['.DRYSTONE', 'inside/.Drystone']);
  });

  test('reports pipes and sockets, and leaves what is known of them as it is', async () => {
    const root = scratchFolder();
    plantPipe(join(root, 'pipe'));
    const server = createServer().listen(join(root, 'socket'));
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once('listening', resolve));

    const result = await scan(root);
    expect(paths(result)).toEqual([]);
    expect(result.unseen).toEqual(new Set(['pipe', 'socket']));
    expect(result.problems).toEqual([
      { name: 'pipe', problem: 'it is a named pipe, which cannot be synced' },
      { name: 'socket', problem: 'it is a socket, which cannot be synced' },
    ]);
  });

  test('reports names that are not UTF-8, and keeps those beside them', async () => {
    const root = scratchFolder();
    writeFileSync(Buffer.concat([Buffer.from(`${root}/bad-`), Buffer.from([0xff, 0xfe])]), '');
    plant(root, 'really-\uFFFD');
    const result = await scan(root);
    expect(paths(result)).toEqual(['really-\uFFFD']);
    expect(result.problems).toEqual([
      { name: 'bad-\uFFFD\uFFFD', problem: 'its name is not valid UTF-8; rename it to have it synced' },
    ]);
  });

  test('reports paths that are too long for an item', async () => {
    const root = scratchFolder();
    const long = Array.from({ length: 10 }, () => 'x'.repeat(200)).join('/');
    plant(root, `${long}/file`);
    const result = await scan(root);
    expect(paths(result)).toHaveLength(9);
    expect(problemNames(result)).toEqual([long]);
  });

  test('ignores what ignore files say, at every level, and answers for what is not there', async () => {
    const root = scratchFolder();
    plant(root, '.drystoneignore', 'node_modules/\n*.tmp\n');
    plant(root, 'a/.drystoneignore', '!keep.tmp\n/local\n');
    for (const path of ['node_modules/x/y', 'b.tmp', 'a/b.tmp', 'a/keep.tmp', 'a/local/x', 'a/deep/local', 'file']) {
      plant(root, path);
    }
    const result = await scan(root);
    expect(paths(result)).toEqual([
      '.drystoneignore',
      'a',
      'file',
      'a/.drystoneignore',
      'a/deep',
      'a/keep.tmp',
      'a/deep/local',
    ]);
    expect(result.ignoreRules.ignores('a/local/new' as ItemPath, 'file')).toBe(true);
    expect(result.ignoreRules.ignores('elsewhere/new.tmp' as ItemPath, 'file')).toBe(true);
    expect(result.ignoreRules.ignores('elsewhere/new' as ItemPath, 'file')).toBe(false);
  });

  test('does not look into a directory whose ignore file it cannot take', async () => {
    const root = scratchFolder();
    plant(root, 'a/.drystoneignore', Buffer.alloc(300_000, 'x'));
    plant(root, 'a/file');
    plant(root, 'b');
    const result = await scan(root);
    expect(paths(result)).toEqual(['b']);
    expect(result.unseen).toEqual(new Set(['a']));
    expect(problemNames(result)).toEqual(['a']);
  });
});

describe('names in other Unicode forms', () => {
  const composed = 'caf\u00E9';
  const decomposed = 'cafe\u0301';

  test('are items under the composed name, and the disk keeps its own', async () => {
    const root = scratchFolder();
    plant(root, `${decomposed}/x/${decomposed}`);
    const result = await scan(root);
    expect(paths(result)).toEqual([composed, `${composed}/x`, `${composed}/x/${composed}`]);
    expect(result.problems).toEqual([]);
    const onDisk = (path: string): string => diskPathOf(result, path as ItemPath);
    expect(onDisk(`${composed}/x/${composed}`)).toBe(`${decomposed}/x/${decomposed}`);
    expect(onDisk(`${composed}/x/new`)).toBe(`${decomposed}/x/new`);
    expect(onDisk(`${composed}/new`)).toBe(`${decomposed}/new`);
    expect(onDisk(composed)).toBe(decomposed);
    expect(onDisk('elsewhere/new')).toBe('elsewhere/new');
  });

  test('are reported where the composed name is there too, which wins', async () => {
    const root = scratchFolder();
    plant(root, composed, 'composed');
    plant(root, decomposed, 'other');
    const result = await scan(root);
    expect(paths(result)).toEqual([composed]);
    expect(result.observations.get(composed as ItemPath)).toMatchObject({ stamp: { sizeBytes: 8 } });
    expect(result.problems).toEqual([
      {
        name: decomposed,
        problem:
          "another entry has the same name in another Unicode form, 'caf\\u00e9', and this one is 'cafe\\u0301'; " +
          'rename it to have it synced',
        twinOf: composed,
      },
    ]);
    expect(result.diskPaths.size).toBe(0);
  });

  test('and in another case are reported and synced', async () => {
    const root = scratchFolder();
    for (const name of ['Read.me', 'read.me', 'É', 'é']) plant(root, name);
    const result = await scan(root);
    expect(paths(result)).toEqual(['Read.me', 'read.me', 'É', 'é']);
    expect(problemNames(result)).toEqual(['read.me', 'é']);
    expect(result.problems.every(({ isSynced }) => isSynced === true)).toBe(true);
  });
});

describe('the root', () => {
  const unreadable = { code: 'FAILED_PRECONDITION', reason: 'FOLDER_UNREADABLE' };

  test('that is not there is an error', async () => {
    await expect(scan(join(scratchFolder(), 'missing'))).rejects.toMatchObject(unreadable);
  });

  test('in whose place another directory is, is an error and not an empty folder', async () => {
    const root = join(scratchFolder(), 'root');
    plant(root, 'file');
    const scanner = new TreeScanner(root, systemClock);
    await scanner.scanAll(signal);
    renameSync(root, `${root}-away`);
    mkdirSync(root);
    await expect(scanner.scanAll(signal)).rejects.toMatchObject(unreadable);
    rmSync(root, { recursive: true });
    renameSync(`${root}-away`, root);
    expect(paths(await scanner.scanAll(signal))).toEqual(['file']);
  });

  test('that another directory takes the place of while it is looked at is an error as well', async () => {
    const root = join(scratchFolder(), 'root');
    plant(root, 'directory/below/file');
    const swapping: FolderReader = {
      ...diskReader,
      list(directory) {
        const entries = diskReader.list(directory);
        if (directory === root && entries.length > 0) {
          renameSync(root, `${root}-away`);
          mkdirSync(root);
        }
        return entries;
      },
    };
    const scanner = new TreeScanner(root, systemClock, swapping);
    await expect(scanner.scanAll(signal)).rejects.toMatchObject(unreadable);
  });

  test('is not scanned for one who does not want it any more', async () => {
    const scanner = new TreeScanner(scratchFolder(), systemClock);
    await expect(scanner.scanAll(AbortSignal.abort())).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});
