import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { plantTree } from '../../support/planted-tree.js';

const script = join(import.meta.dirname, '../../../.ci/count-tests.mjs');

interface TestFile {
  readonly status: 'passed' | 'failed';
  readonly assertionResults: readonly { readonly status: string }[];
}

function count(files: readonly TestFile[] | undefined, exitStatus: number): string {
  const root = plantTree(
    files === undefined ? { 'other.json': '' } : { 'r.json': JSON.stringify({ testResults: files }) },
  );
  return execFileSync(process.execPath, [script, join(root, 'r.json'), String(exitStatus)], {
    encoding: 'utf8',
  }).trim();
}

const tests = (...statuses: string[]): { status: string }[] => statuses.map((status) => ({ status }));

it('adds the tests of all files', () => {
  const files: TestFile[] = [
    { status: 'passed', assertionResults: tests('passed', 'passed') },
    { status: 'failed', assertionResults: tests('passed', 'failed') },
  ];
  expect(count(files, 1)).toBe('3 1');
});

it('counts a test that did not run as failed', () => {
  const files: TestFile[] = [{ status: 'passed', assertionResults: tests('passed', 'skipped', 'pending', 'todo') }];
  expect(count(files, 0)).toBe('1 3');
});

it('counts a file that could not be loaded as one failure', () => {
  const files: TestFile[] = [
    { status: 'passed', assertionResults: tests('passed') },
    { status: 'failed', assertionResults: [] },
  ];
  expect(count(files, 1)).toBe('1 1');
});

it('counts an error outside of all tests as one failure', () => {
  expect(count([{ status: 'passed', assertionResults: tests('passed') }], 1)).toBe('1 1');
});

it('counts a run without a report, or without a test, as one failure', () => {
  expect(count(undefined, 1)).toBe('0 1');
  expect(count(undefined, 0)).toBe('0 1');
  expect(count([], 0)).toBe('0 1');
});
