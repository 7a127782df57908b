import { expect, test } from 'vitest';
import { conflictPath } from '../../../../common/feed/conflict-name.js';
import type { ItemPath } from '../../../../common/feed/item.js';
import { pathProblem } from '../../../../common/feed/paths.js';
import type { DeviceId } from '../../../../common/ids.js';
import { wireLimits } from '../../../../common/limits.js';

const MARKS = {
  device: '0123456789abcdef0123456789abcdef' as DeviceId,
  dateMs: Date.UTC(2024, 1, 29, 23, 59),
  number: 1,
  tag: 'cafe0001',
};

function nameOf(path: string, marks: Partial<typeof MARKS> = {}): string {
  return conflictPath(path as ItemPath, { ...MARKS, ...marks });
}

test('a conflicted copy is called after its file, whose extension it keeps', () => {
  expect(nameOf('d.d/report.tar.gz')).toBe('d.d/report.tar (conflicted copy, 01234567, 2024-02-29).gz');
  expect(nameOf('plain')).toBe('plain (conflicted copy, 01234567, 2024-02-29)');
  expect(nameOf('.hidden')).toBe('.hidden (conflicted copy, 01234567, 2024-02-29)');
});

test('it shows the number of every change but the first', () => {
  expect(nameOf('a.txt', { number: 3 })).toBe('a (conflicted copy, 01234567, 2024-02-29, 3).txt');
});

const LONG = ['x'.repeat(255), `${'é'.repeat(120)}.${'y'.repeat(14)}`, `a.${'z'.repeat(253)}`, '🧱'.repeat(63)];

test.each(LONG)('it is a legal name with its tag, however long the file’s is: %s', (name) => {
  const copy = nameOf(name);
  expect(pathProblem(copy)).toBeUndefined();
  expect(copy).toContain(', 2024-02-29, cafe0001)');
  expect(nameOf(name, { tag: 'cafe0002' })).not.toBe(copy);
});

test('a copy of a copy whose name is as long as it can be has another name', () => {
  const copy = nameOf(LONG[0]!);
  expect(Buffer.byteLength(copy)).toBe(wireLimits.pathPartBytes);
  expect(nameOf(copy, { tag: 'cafe0002' })).not.toBe(copy);
});

test('it lies higher up where the directories above leave no room', () => {
  const above = Array.from({ length: 7 }, () => 'd'.repeat(255)).join('/');
  const deep = `${above}/${'e'.repeat(104)}/f`;
  expect(Buffer.byteLength(deep)).toBe(wireLimits.pathBytes - 2);
  const copy = nameOf(deep);
  expect(pathProblem(copy)).toBeUndefined();
  expect(copy).toBe(`${above}/f (conflicted copy, 01234567, 2024-02-29, cafe0001)`);
});
