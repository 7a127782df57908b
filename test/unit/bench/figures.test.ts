import { expect, test } from 'vitest';
import { isMet, ratioOf, type BenchLine } from '../../bench/bench-line.js';
import { median, percentile, show, takeTurns } from '../../bench/statistics.js';
import { formatTable } from '../../bench/table.js';

function line(measured: number, direction: BenchLine['direction'], limit: number): BenchLine {
  return { what: 'something', measured, direction, limit, unit: 's', limitIs: 'fixed' };
}

test('a figure is met on the right side of its limit, whichever side that is', () => {
  expect(isMet(line(10, 'at least', 9))).toBe(true);
  expect(isMet(line(8, 'at least', 9))).toBe(false);
  expect(isMet(line(8, 'at most', 9))).toBe(true);
  expect(isMet(line(10, 'at most', 9))).toBe(false);
});

test('a ratio above 1 is better than asked, whichever way the figure counts', () => {
  expect(ratioOf(line(20, 'at least', 10))).toBe(2);
  expect(ratioOf(line(5, 'at most', 10))).toBe(2);
});

test('the median of an even number of samples is between the two in the middle', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([9, 1, 5])).toBe(5);
});

test('a percentile is interpolated between its neighbours', () => {
  const samples = Array.from({ length: 101 }, (_, index) => 100 - index);
  expect(percentile(samples, 0.99)).toBe(99);
  expect(percentile([0, 10], 0.25)).toBe(2.5);
  expect(() => percentile([], 0.5)).toThrow('no samples');
});

test('subjects take turns, so that each has neighbours of the other kind', async () => {
  const order: string[] = [];
  const subject = (name: string) => async () => order.push(name);
  const samples = await takeTurns(2, { a: subject('a'), b: subject('b') });
  expect(order).toEqual(['a', 'b', 'a', 'b']);
  expect(samples).toEqual({ a: [1, 3], b: [2, 4] });
});

test('numbers are shown with three digits that count', () => {
  expect([0.012_34, 1.234_5, 98.76, 1234.5].map(show)).toEqual(['0.0123', '1.23', '98.8', '1,235']);
});

test('the table says of every line whether it is met', () => {
  const table = formatTable([line(1, 'at most', 2), { ...line(3, 'at most', 2), notes: ['too slow'] }]);
  const rows = table.split('\n');
  expect(rows[2]).toMatch(/\| 2 +\| met +\|$/);
  expect(rows[3]).toMatch(/\| 0\.667 +\| NOT MET +\|$/);
  expect(rows.at(-1)).toBe('something: too slow');
});
