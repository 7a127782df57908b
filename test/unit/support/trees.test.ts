import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { folderDifferences } from '../../support/compare-trees.js';
import { editTree } from '../../support/tree-edits.js';
import { makeTree } from '../../support/trees.js';

let dir: string;
let a: string;
let b: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'drystone-trees-'));
  a = join(dir, 'a');
  b = join(dir, 'b');
  makeTree(a, { seed: 1, fileCount: 40 });
  makeTree(b, { seed: 1, fileCount: 40 });
});

afterEach(() => {
  rmSync(dir, { recursive: true });
});

test('the same seed makes the same tree, and the same edits of it', () => {
  expect(folderDifferences(a, b)).toEqual([]);
  expect(editTree(a, 'edits', 100)).toEqual(editTree(b, 'edits', 100));
  expect(folderDifferences(a, b).filter((line) => !line.includes('modifiedAtMs'))).toEqual([]);
});

test('another seed makes another tree', () => {
  makeTree(join(dir, 'c'), { seed: 2, fileCount: 40 });
  expect(folderDifferences(a, join(dir, 'c')).length).toBeGreaterThan(30);
});

describe('the comparison sees', () => {
  const path = 'odd/two words.txt';
  const changes: readonly (readonly [string, (file: string) => void])[] = [
    ['other bytes', (file) => writeFileSync(file, 'Content of two words.txt')],
    ['another executable bit', (file) => chmodSync(file, 0o777)],
    ['another time', (file) => utimesSync(file, 1_700_000_000.5, 1_700_000_000.5)],
    ['another name', (file) => renameSync(file, `${file} `)],
    ['a deletion', (file) => rmSync(file)],
    [
      'a directory in place of a file',
      (file) => {
        rmSync(file);
        mkdirSync(file);
      },
    ],
    [
      'a symlink in place of a file',
      (file) => {
        rmSync(file);
        symlinkSync('elsewhere', file);
      },
    ],
  ];

  test.each(changes)('%s', (_what, change) => {
    for (const root of [a, b]) utimesSync(`${root}/${path}`, 1_700_000_000, 1_700_000_000);
    chmodSync(`${a}/${path}`, 0o644);
    chmodSync(`${b}/${path}`, 0o644);
    change(`${b}/${path}`);
    const differing = folderDifferences(a, b);
    expect(differing.length).toBeGreaterThan(0);
    expect(differing[0]).toContain('two words.txt');
  });
});
