import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type {
  Disk,
  DiskOutcome,
  FolderChange,
  PlacedFile,
  Place,
  Standing,
} from '../../../../client/act/disk/disk-task.js';
import { createInlineDisk } from '../../../../client/act/disk/inline-disk.js';
import { TreeScanner } from '../../../../client/observe/scan-tree.js';
import { hashBlockSync } from '../../../../common/block-hash.js';
import { systemClock } from '../../../../common/clock.js';
import type { ItemPath } from '../../../../common/feed/item.js';
import { temporaryDirectory } from '../../../support/temporary-directory.js';

let root: string;
let outside: string;
let temporary: string;
let disk: Disk;

beforeEach(() => {
  const directory = temporaryDirectory();
  root = join(directory, 'folder');
  outside = join(directory, 'outside');
  temporary = join(root, '.drystone/tmp');
  mkdirSync(temporary, { recursive: true });
  mkdirSync(outside);
  disk = createInlineDisk(() => undefined);
});

const placeOf = (path: string): Place => ({ path: path as ItemPath, diskPath: path });

/** What stands at a path, as a scan sees it. */
async function seen(path: string): Promise<Exclude<Standing, undefined>> {
  const scan = await new TreeScanner(root, systemClock).scanAll(new AbortController().signal);
  const found = scan.observations.get(path as ItemPath);
  if (found === undefined) throw new Error(`there is no ${path}`);
  return found;
}

function placed(path: string, text: string, more: Partial<PlacedFile> = {}): Promise<readonly DiskOutcome[]> {
  const content = new TextEncoder().encode(text).buffer;
  const bytes = { offset: 0, sizeBytes: content.byteLength };
  const file = {
    ...placeOf(path),
    temporaryName: 't',
    bytes,
    modifiedAtMs: 1000,
    executable: false,
    replaces: undefined,
  };
  return disk.placeFiles({ root, temporaryDirectory: temporary, files: [{ ...file, ...more }], content });
}

function changed(...changes: FolderChange[]): Promise<readonly DiskOutcome[]> {
  return disk.changeFolder({ root, temporaryDirectory: temporary, changes });
}

describe('a file takes its place', () => {
  test('with its content, time and executable bit', async () => {
    for (const modifiedAtMs of [0, 1, -1000, -86_400_000, 1_700_000_000_123, 1_700_000_000_999, 2 ** 41 + 1]) {
      const path = `file ${modifiedAtMs}`;
      const [outcome] = await placed(path, 'text', { modifiedAtMs, executable: true });
      expect(outcome).toEqual({ outcome: 'done', entry: await seen(path) });
      expect(await seen(path)).toMatchObject({ modifiedAtMs, executable: true });
      expect(readFileSync(join(root, path), 'utf8')).toBe('text');
    }
  });

  test('over the one that was expected there, whose permissions it takes over', async () => {
    writeFileSync(join(root, 'secret'), 'old', { mode: 0o600 });
    const [outcome] = await placed('secret', 'new', { replaces: await seen('secret'), executable: true });
    expect(outcome?.outcome).toBe('done');
    expect(statSync(join(root, 'secret')).mode & 0o777).toBe(0o700);
  });

  test('and never over something else', async () => {
    writeFileSync(join(root, 'file'), 'seen');
    const expected = await seen('file');
    writeFileSync(join(root, 'file'), 'edited since');
    expect(await placed('file', 'new', { replaces: expected })).toEqual([{ outcome: 'changed' }]);
    expect(await placed('file', 'new')).toEqual([{ outcome: 'changed' }]);
    expect(readFileSync(join(root, 'file'), 'utf8')).toBe('edited since');
    expect(readdirSync(temporary)).toEqual([]);
  });

  test('with many others in one task, of which some fail', async () => {
    mkdirSync(join(root, 'd'));
    const text = Buffer.from('0123456789');
    const files = Array.from({ length: 40 }, (_, index): PlacedFile => ({
      ...placeOf(index === 20 ? 'missing/file' : `d/${index}`),
      temporaryName: `t${index}`,
      bytes: { offset: index % 5, sizeBytes: 5 },
      modifiedAtMs: 0,
      executable: false,
      replaces: undefined,
    }));
    const content = new Uint8Array(text).buffer;
    const outcomes = await disk.placeFiles({ root, temporaryDirectory: temporary, files, content });
    expect(outcomes.map(({ outcome }) => outcome).filter((outcome) => outcome !== 'done')).toEqual(['changed']);
    expect(outcomes[20]).toEqual({ outcome: 'changed' });
    expect(readFileSync(join(root, 'd/7'), 'utf8')).toBe('23456');
    expect(readdirSync(temporary)).toEqual([]);
  });
});

describe('what lies outside the folder is out of reach', () => {
  test('through a symlink on the way', async () => {
    symlinkSync(outside, join(root, 'way'));
    writeFileSync(join(outside, 'theirs'), 'theirs');
    const replaces = { kind: 'directory', path: 'way/theirs' as ItemPath } as const;
    expect(await placed('way/ours', 'text')).toEqual([{ outcome: 'changed' }]);
    const outcomes = await changed(
      { change: 'make-directory', ...placeOf('way/made') },
      { change: 'make-symlink', target: 'x', temporaryName: 'l', replaces: undefined, ...placeOf('way/link') },
      { change: 'remove', replaces, ...placeOf('way/theirs') },
    );
    expect(outcomes).toEqual([{ outcome: 'changed' }, { outcome: 'changed' }, { outcome: 'changed' }]);
    expect(readdirSync(outside)).toEqual(['theirs']);
  });

  test('through a directory that was replaced by a symlink within one task', async () => {
    mkdirSync(join(root, 'd'));
    const directory = { kind: 'directory', path: 'd' as ItemPath } as const;
    const outcomes = await changed(
      { change: 'remove', replaces: directory, ...placeOf('d') },
      { change: 'make-symlink', target: outside, temporaryName: 'l', replaces: undefined, ...placeOf('d') },
      { change: 'make-directory', ...placeOf('d/made') },
    );
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'changed']);
    expect(readdirSync(outside)).toEqual([]);
  });

  test('through a directory that its user moves, and links to, between two files of one task', async () => {
    mkdirSync(join(root, 'd'));
    let placedFiles = 0;
    disk = createInlineDisk((step) => {
      if (step !== 'file-placed' || ++placedFiles > 1) return;
      renameSync(join(root, 'd'), join(outside, 'moved'));
      symlinkSync(join(outside, 'moved'), join(root, 'd'));
    });
    const files = ['d/1', 'd/2', 'd/3'].map((path) => ({
      ...placeOf(path),
      temporaryName: path.replace('/', '-'),
      bytes: { offset: 0, sizeBytes: 0 },
      modifiedAtMs: 1000,
      executable: false,
      replaces: undefined,
    }));
    const outcomes = await disk.placeFiles({
      root,
      temporaryDirectory: temporary,
      files,
      content: new ArrayBuffer(0),
    });
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['done', 'changed', 'changed']);
    expect(readdirSync(join(outside, 'moved'))).toEqual(['1']);
    expect(readdirSync(temporary)).toEqual([]);
  });

  test('and so is a symlink’s target, of which only the link is replaced', async () => {
    writeFileSync(join(outside, 'theirs'), 'theirs');
    symlinkSync(join(outside, 'theirs'), join(root, 'link'));
    const [outcome] = await placed('link', 'ours', { replaces: await seen('link') });
    expect(outcome?.outcome).toBe('done');
    expect(readFileSync(join(outside, 'theirs'), 'utf8')).toBe('theirs');
    expect(readFileSync(join(root, 'link'), 'utf8')).toBe('ours');
  });

  test('and what the client knows is out of reach too', async () => {
    expect(await placed('.drystone/FORMAT', 'text')).toEqual([{ outcome: 'changed' }]);
    expect(existsSync(join(root, '.drystone/FORMAT'))).toBe(false);
  });
});

describe('a change of the folder', () => {
  test('is refused, for people, where the file system does not take the name', async () => {
    const [outcome] = await changed({ change: 'make-directory', ...placeOf('x'.repeat(256)) });
    expect(outcome).toMatchObject({ outcome: 'refused', problem: expect.stringContaining('too long') as string });
    const [file] = await placed('y'.repeat(256), 'text');
    expect(file).toMatchObject({ outcome: 'refused' });
    expect(readdirSync(temporary)).toEqual([]);
  });

  test('leaves a directory that holds something which is not synced', async () => {
    mkdirSync(join(root, 'd'));
    writeFileSync(join(root, 'd/ignored'), 'kept');
    const [outcome] = await changed({ change: 'remove', replaces: await seen('d'), ...placeOf('d') });
    expect(outcome).toMatchObject({ outcome: 'refused', problem: expect.stringContaining('not synced') as string });
    expect(readFileSync(join(root, 'd/ignored'), 'utf8')).toBe('kept');
  });

  test('takes a directory that stands there already for made', async () => {
    mkdirSync(join(root, 'd'));
    const [outcome] = await changed({ change: 'make-directory', ...placeOf('d') });
    expect(outcome).toEqual({ outcome: 'done', entry: { kind: 'directory', path: 'd' } });
  });

  test('renames, unless the source is another one by now or the name is taken', async () => {
    writeFileSync(join(root, 'a'), 'a');
    writeFileSync(join(root, 'b'), 'b');
    const replaces = await seen('a');
    const rename = (to: string): FolderChange => ({ change: 'rename', to: placeOf(to), replaces, ...placeOf('a') });
    expect(await changed(rename('b'))).toEqual([{ outcome: 'changed' }]);
    expect(await changed(rename('c'))).toEqual([{ outcome: 'done', entry: await seen('c') }]);
    expect(await changed(rename('d'))).toEqual([{ outcome: 'changed' }]);
    expect(readFileSync(join(root, 'b'), 'utf8')).toBe('b');
  });

  test('sets time and executable bit and leaves other permissions', async () => {
    writeFileSync(join(root, 'a'), 'a');
    chmodSync(join(root, 'a'), 0o640);
    const change = { change: 'set-attributes', modifiedAtMs: 5, executable: true, replaces: await seen('a') } as const;
    const [outcome] = await changed({ ...change, ...placeOf('a') });
    expect(outcome).toEqual({ outcome: 'done', entry: await seen('a') });
    expect(statSync(join(root, 'a'))).toMatchObject({ mtimeMs: expect.closeTo(5, 2) as number });
    expect(statSync(join(root, 'a')).mode & 0o777).toBe(0o750);
  });
});

describe('blocks copied on the disk', () => {
  const block = (text: string, sourceOffset: number, targetOffset: number) => ({
    hash: hashBlockSync(Buffer.from(text)),
    sizeBytes: text.length,
    sourceOffset,
    targetOffset,
  });

  test('are verified; those that are not as believed are left out', async () => {
    const [source, target] = [join(root, 'source'), join(root, 'target')];
    writeFileSync(source, 'onetwothree');
    writeFileSync(target, '...........');
    const blocks = [block('three', 6, 0), block('xxx', 3, 5), block('one', 0, 8), block('beyond', 9, 5)];
    expect(await disk.copyBlocks({ source, target, blocks })).toEqual({ outcome: 'done', wrong: [1, 3] });
    expect(readFileSync(target, 'utf8')).toBe('three...one');
  });

  test('come from no symlink and from no file that has gone', async () => {
    const [source, target] = [join(root, 'source'), join(root, 'target')];
    writeFileSync(join(outside, 'theirs'), 'one');
    symlinkSync(join(outside, 'theirs'), source);
    writeFileSync(target, '');
    const blocks = [block('one', 0, 0)];
    expect(await disk.copyBlocks({ source, target, blocks })).toEqual({ outcome: 'done', wrong: [0] });
    renameSync(source, join(root, 'elsewhere'));
    expect(await disk.copyBlocks({ source, target, blocks })).toEqual({ outcome: 'done', wrong: [0] });
  });
});
