import { expect, test } from 'vitest';
import { conflictPath } from '../../../../client/plan/conflict-name.js';
import type { ItemPath } from '../../../../common/feed/item.js';
import { pathProblem } from '../../../../common/feed/paths.js';
import type { DeviceId } from '../../../../common/ids.js';

const DEVICE = '0123456789abcdef0123456789abcdef' as DeviceId;
const DATE_MS = Date.UTC(2024, 1, 29, 23, 59);

function nameOf(path: string, ...taken: string[]): string {
  return conflictPath(path as ItemPath, DEVICE, DATE_MS, (candidate) => taken.includes(candidate));
}

test('a conflicted copy is called after its file, whose extension it keeps', () => {
  expect(nameOf('d.d/report.tar.gz')).toBe('d.d/report.tar (conflicted copy, 01234567, 2024-02-29).gz');
  expect(nameOf('plain')).toBe('plain (conflicted copy, 01234567, 2024-02-29)');
  expect(nameOf('.hidden')).toBe('.hidden (conflicted copy, 01234567, 2024-02-29)');
});

test('it is numbered where the name is taken', () => {
  const first = nameOf('a.txt');
  const second = nameOf('a.txt', first);
  expect(second).toBe('a (conflicted copy, 01234567, 2024-02-29, 2).txt');
  expect(nameOf('a.txt', first, second)).toContain(', 3).txt');
});

test('it is a legal name, however long the file’s is', () => {
  for (const name of [
    'x'.repeat(255),
    `${'é'.repeat(120)}.${'y'.repeat(14)}`,
    `a.${'z'.repeat(253)}`,
    '🧱'.repeat(63),
  ]) {
    expect(pathProblem(nameOf(name))).toBeUndefined();
  }
});
