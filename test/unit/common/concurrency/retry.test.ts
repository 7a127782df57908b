import { describe, expect, it } from 'vitest';
import { retryDelayMs, withRetries } from '../../../../common/concurrency/retry.js';
import { DrystoneError, overloaded } from '../../../../common/errors.js';
import { retryLimits } from '../../../../common/limits.js';
import type { Random } from '../../../../common/random.js';
import { rejection } from '../../../support/async-tools.js';
import { eventually } from '../../../support/eventually.js';
import { ManualClock } from '../../../support/manual-clock.js';

const chance = (fraction: number): Random => ({ bytes: (count) => Buffer.alloc(count), fraction: () => fraction });
const away = new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'nobody answers');
const { initialDelayMs, maxDelayMs, attempts } = retryLimits;

describe('retryDelayMs', () => {
  it('doubles from the first bound to the last', () => {
    const delays = [0, 1, 2, 3, 50, 5000].map((attempt) => retryDelayMs(attempt, away, chance(1)));
    expect(delays).toEqual([1, 2, 4, 8].map((factor) => factor * initialDelayMs).concat(maxDelayMs, maxDelayMs));
  });

  it('leaves half of it to chance', () => {
    expect(retryDelayMs(0, away, chance(0))).toBe(initialDelayMs / 2);
    expect(retryDelayMs(0, away, chance(0.5))).toBe(initialDelayMs * 0.75);
  });

  it('never comes back sooner than the error asks, and not all at once', () => {
    expect(retryDelayMs(0, overloaded('full', 60_000), chance(0))).toBe(60_000 + initialDelayMs / 2);
    expect(retryDelayMs(0, overloaded('full', 60_000), chance(1))).toBe(60_000 + initialDelayMs);
  });
});

describe('withRetries', () => {
  const options = (clock: ManualClock) => ({ clock, random: chance(1) });

  it('repeats what may succeed later', async () => {
    const clock = new ManualClock();
    const told: string[] = [];
    const work = withRetries({ ...options(clock), onRetry: ({ reason }) => told.push(reason) }, async (attempt) => {
      if (attempt < 2) throw away;
      return `attempt ${attempt}`;
    });
    await eventually(() => clock.sleepingMs).toEqual([initialDelayMs]);
    clock.advance(initialDelayMs);
    await eventually(() => clock.sleepingMs).toEqual([2 * initialDelayMs]);
    clock.advance(2 * initialDelayMs);
    expect(await work).toBe('attempt 2');
    expect(told).toEqual(['TRANSPORT', 'TRANSPORT']);
  });

  it('raises at once what will not', async () => {
    const refused = new DrystoneError('NOT_FOUND', 'NAMESPACE_UNKNOWN', 'no such namespace');
    expect(await rejection(withRetries(options(new ManualClock()), () => Promise.reject(refused)))).toBe(refused);
  });

  it('gives up after the last attempt, with its error', async () => {
    const clock = new ManualClock();
    let tried = 0;
    const failed = rejection(
      withRetries(options(clock), () => {
        tried++;
        return Promise.reject(away);
      }),
    );
    for (let attempt = 1; attempt < attempts; attempt++) {
      await eventually(() => clock.sleepingMs.length).toBe(1);
      clock.advance(maxDelayMs);
    }
    expect(await failed).toBe(away);
    expect(tried).toBe(attempts);
  });

  it('is cancelled between two attempts', async () => {
    const clock = new ManualClock();
    const abort = new AbortController();
    const cancelling = rejection(withRetries({ ...options(clock), signal: abort.signal }, () => Promise.reject(away)));
    await eventually(() => clock.sleepingMs.length).toBe(1);
    abort.abort();
    expect(await cancelling).toMatchObject({ code: 'CANCELLED', reason: 'CANCELLED' });
  });
});
