import { expect, it } from 'vitest';
import { ByteRate } from '../../../../common/concurrency/byte-rate.js';
import { peerLimits } from '../../../../common/limits.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { quietFor } from '../../../support/async-tools.js';

it('lets pass what the rate has earned, first come, first served, whatever the sizes', async () => {
  const clock = new ManualClock();
  const rate = new ByteRate(1000, clock);
  const passed: string[] = [];
  const take = (name: string, bytes: number): void => void rate.take(bytes).then(() => passed.push(name));
  // What the bucket holds passes at once.
  take('burst', peerLimits.rateBurstMs);
  take('large', 5000);
  take('small', 10);
  await quietFor(1);
  expect(passed).toEqual(['burst']);
  clock.advance(4999);
  await quietFor(1);
  expect(passed).toEqual(['burst']);
  clock.advance(1);
  await quietFor(1);
  expect(passed).toEqual(['burst', 'large']);
  clock.advance(10);
  await quietFor(1);
  expect(passed).toEqual(['burst', 'large', 'small']);
});

it('does not save up what was not used', async () => {
  const clock = new ManualClock();
  const rate = new ByteRate(1000, clock);
  clock.advance(60_000);
  await rate.take(peerLimits.rateBurstMs);
  const second = rate.take(1000);
  await quietFor(1);
  expect(clock.sleepingMs).toEqual([1000]);
  clock.advance(1000);
  await second;
});

it('stops waiting when its signal aborts', async () => {
  const clock = new ManualClock();
  const rate = new ByteRate(1, clock);
  const ended = new AbortController();
  const waiting = rate.take(1000, ended.signal);
  ended.abort();
  await expect(waiting).rejects.toThrow(/aborted/);
});
