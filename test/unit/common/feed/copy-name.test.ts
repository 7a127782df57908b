import { expect, test } from 'vitest';
import { conflictPath } from '../../../../common/feed/conflict-name.js';
import { originalOf } from '../../../../common/feed/copy-name.js';
import type { ItemPath } from '../../../../common/feed/item.js';
import { isAtOrBelow } from '../../../../common/feed/paths.js';
import type { DeviceId } from '../../../../common/ids.js';

const MARKS = {
  device: '0123456789abcdef0123456789abcdef' as DeviceId,
  dateMs: Date.UTC(2024, 1, 29, 23, 59),
  number: 1,
  tag: 'cafe0001',
};

function originalAmong(paths: readonly string[], copy: string): ItemPath | undefined {
  return originalOf(copy as ItemPath, {
    has: (path) => paths.includes(path),
    below: (directory) => paths.filter((path) => isAtOrBelow(path, directory)) as ItemPath[],
  });
}

const DEEP = `${Array.from({ length: 7 }, () => 'd'.repeat(255)).join('/')}/${'e'.repeat(104)}/f`;

test.each([
  'notes.txt',
  'plain',
  '.hidden',
  'd.d/report.tar.gz',
  `a.${'z'.repeat(40)}`,
  'two\nlines.txt',
  'x'.repeat(255),
  `${'é'.repeat(120)}.${'y'.repeat(14)}`,
  DEEP,
])('a copy’s name leads to its original: %s', (path) => {
  for (const marks of [MARKS, { ...MARKS, number: 3 }, { ...MARKS, number: 3, tag: '12345678' }]) {
    const copy = conflictPath(path as ItemPath, marks);
    expect(originalAmong(['other', path, copy], copy)).toBe(path);
    expect(originalAmong(['other', copy], copy), 'it is gone').toBeUndefined();
  }
});

test('a tag of digits alone is not taken for a number', () => {
  const path = 'x'.repeat(255);
  const copy = conflictPath(path as ItemPath, { ...MARKS, tag: '12345678' });
  expect(originalAmong([path], copy)).toBe(path);
});

test('a copy of a copy leads to that', () => {
  const first = conflictPath('a.txt' as ItemPath, MARKS);
  const second = conflictPath(first, { ...MARKS, device: 'f'.repeat(32) as DeviceId });
  expect(originalAmong(['a.txt', first], second)).toBe(first);
});

test.each([
  'notes (2).txt',
  'notes (conflicted copy).txt',
  'notes (conflicted copy, 01234567, 2024-13-29).txt',
  'notes(conflicted copy, 01234567, 2024-02-29).txt',
  ' (conflicted copy, 01234567, 2024-02-29).txt',
])('other names are not those of copies: %s', (name) => {
  expect(originalAmong(['notes.txt', '.txt'], name)).toBeUndefined();
});
