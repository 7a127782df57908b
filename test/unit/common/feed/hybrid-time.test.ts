import { expect, test } from 'vitest';
import { compareTimes, laterTime, LOGICAL_MAX, nextTime, TIME_START } from '../../../../common/feed/hybrid-time.js';

const at = (wallMs: number, logical = 0) => ({ wallMs, logical });

test('times are in order by the clock, then by their number', () => {
  expect(compareTimes(at(1, 9), at(2))).toBeLessThan(0);
  expect(compareTimes(at(2, 1), at(2))).toBeGreaterThan(0);
  expect(compareTimes(at(2, 1), at(2, 1))).toBe(0);
  expect(laterTime(at(1, 9), at(2))).toEqual(at(2));
  expect(laterTime(at(2), at(1, 9))).toEqual(at(2));
});

test('the next time is what the clock says where that is later', () => {
  expect(nextTime(TIME_START, 1000)).toEqual(at(1000));
  expect(nextTime(at(999, 7), 1000)).toEqual(at(1000));
});

test('and goes on counting where the clock stands still, or is behind what it has been told', () => {
  expect(nextTime(at(1000), 1000)).toEqual(at(1000, 1));
  expect(nextTime(at(1000, 4), 3)).toEqual(at(1000, 5));
});

test('and never counts beyond what the wire holds', () => {
  expect(nextTime(at(1000, LOGICAL_MAX), 1000)).toEqual(at(1001));
});
