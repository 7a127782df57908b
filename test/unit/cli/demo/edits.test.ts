import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { planEdits } from '../../../../cli/demo/edits.js';
import { takeSnapshot } from '../../../../cli/demo/tree-snapshot.js';

let root: string;

beforeEach(() => {
  root = join(mkdtempSync(join(tmpdir(), 'drystone-edits-')), 'root');
  mkdirSync(root);
});
afterEach(() => rmSync(join(root, '..'), { recursive: true }));

function write(path: string, sizeBytes: number): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), Buffer.alloc(sizeBytes, path), { mode: 0o755 });
}

async function play(): Promise<string[]> {
  const edits = planEdits(await takeSnapshot(root, false, new AbortController().signal));
  for (const { apply } of edits) await apply(root);
  return edits.map(({ title }) => title);
}

describe('planEdits', () => {
  it('edits the largest file, renames its folder, deletes another one', async () => {
    write('films/big', 5001);
    write('films/small', 1);
    write('letters/2025/a', 10);
    write('letters/2025/b', 10);
    write('letters/c', 10);
    write('other/d', 10);
    const before = readFileSync(join(root, 'films/big'));
    expect(await play()).toEqual([
      '1000 bytes inserted in the middle of "films/big" (4.9 KiB)',
      'folder "films" renamed to "films (renamed)"',
      'folder "letters" with 4 entries deleted',
    ]);
    const after = readFileSync(join(root, 'films (renamed)/big'));
    expect(after.length).toBe(6001);
    expect(Buffer.concat([after.subarray(0, 2501), after.subarray(3501)])).toEqual(before);
    expect(statSync(join(root, 'films (renamed)/big')).mode & 0o777).toBe(0o755);
    expect(readdirSync(root).sort()).toEqual(['films (renamed)', 'other']);
  });

  it('makes do with files alone, and takes no name that is taken', async () => {
    write('one', 1);
    write('two', 2);
    write('two (renamed)', 1);
    expect(await play()).toEqual([
      '1000 bytes inserted in the middle of "two" (2 B)',
      'file "two" renamed to "two (renamed)\'"',
      'file "one" deleted',
    ]);
  });

  it('deletes nothing where there is nothing else', async () => {
    write('only', 1);
    expect(await play()).toHaveLength(2);
    expect(readdirSync(root)).toEqual(['only (renamed)']);
  });

  it('refuses a folder without a byte', async () => {
    write('empty', 0);
    await expect(play()).rejects.toThrow('--source: holds no file that is not empty');
  });
});
