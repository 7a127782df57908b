import { expect, it } from 'vitest';
import { systemClock } from '../../../common/clock.js';
import { toDrystoneError } from '../../../common/errors.js';
import { shuffled, systemRandom } from '../../../common/random.js';
import { rejection } from '../../support/async-tools.js';
import { seededRandom } from '../../support/seeded-random.js';

it('a sleep ends when its signal aborts, as what our errors call cancelled', async () => {
  const abort = new AbortController();
  const sleeping = rejection(systemClock.sleep(60_000, abort.signal));
  abort.abort();
  expect(toDrystoneError(await sleeping)).toMatchObject({ code: 'CANCELLED' });
  expect(toDrystoneError(await rejection(systemClock.sleep(60_000, abort.signal)))).toMatchObject({
    code: 'CANCELLED',
  });
});

it('monotonic time does not go back, and passes while one sleeps', async () => {
  const before = systemClock.monotonicMs();
  await systemClock.sleep(2);
  expect(systemClock.monotonicMs()).toBeGreaterThan(before);
});

it('chance gives as many bytes as asked for, and fractions below 1', () => {
  expect(systemRandom.bytes(16)).toHaveLength(16);
  expect(systemRandom.bytes(16).equals(systemRandom.bytes(16))).toBe(false);
  for (let draw = 0; draw < 100; draw++) {
    const fraction = systemRandom.fraction();
    expect(fraction >= 0 && fraction < 1).toBe(true);
  }
});

it('a shuffled list is the same list in an order that is as likely as any other', () => {
  const list = ['a', 'b', 'c'];
  const random = seededRandom('shuffle');
  const counts = new Map<string, number>();
  for (let round = 0; round < 6000; round++) {
    const order = shuffled(list, random).join('');
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect([...counts.keys()].sort()).toEqual(['abc', 'acb', 'bac', 'bca', 'cab', 'cba']);
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(200);
  expect(list).toEqual(['a', 'b', 'c']);
});
