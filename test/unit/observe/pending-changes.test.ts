import { describe, expect, test } from 'vitest';
import { clientLimits } from '../../../common/limits.js';
import { PendingChanges } from '../../../client/observe/pending-changes.js';
import { ManualClock } from '../../support/manual-clock.js';

const { settleMs, settleMaxMs, watchedPaths } = clientLimits;

function pendingChanges(): { clock: ManualClock; pending: PendingChanges } {
  const clock = new ManualClock();
  return { clock, pending: new PendingChanges(clock) };
}

describe('changes that are pending', () => {
  test('are none at first, and none again once taken', () => {
    const { pending } = pendingChanges();
    expect([pending.settledInMs(), pending.take()]).toEqual([undefined, undefined]);
    pending.add('a');
    expect(pending.take()).toEqual({ kind: 'paths', diskPaths: new Set(['a']) });
    expect([pending.settledInMs(), pending.take()]).toEqual([undefined, undefined]);
  });

  test('settle some time after the last of them', () => {
    const { clock, pending } = pendingChanges();
    pending.add('a');
    expect(pending.settledInMs()).toBe(settleMs);
    clock.advance(settleMs - 1);
    pending.add('b');
    expect(pending.settledInMs()).toBe(settleMs);
    clock.advance(settleMs);
    expect(pending.settledInMs()).toBe(0);
  });

  test('count as settled after the longest wait, though they go on', () => {
    const { clock, pending } = pendingChanges();
    for (let ms = 0; ms < settleMaxMs; ms += settleMs / 2) {
      pending.add('a');
      expect(pending.settledInMs()).toBeGreaterThan(0);
      clock.advance(settleMs / 2);
    }
    expect(pending.settledInMs()).toBe(0);
  });

  test('become everything when they are too many, at the root, or when it is said', () => {
    const { pending } = pendingChanges();
    for (let index = 0; index < watchedPaths; index++) pending.add(`file ${index}`);
    pending.add('file 0');
    expect(pending.take()).toMatchObject({ kind: 'paths' });

    for (let index = 0; index <= watchedPaths; index++) pending.add(`file ${index}`);
    expect(pending.take()).toEqual({ kind: 'everything', because: 'very much changed at once' });

    pending.add('a');
    pending.add('');
    pending.add('b');
    expect(pending.take()).toEqual({ kind: 'everything', because: 'the folder itself changed' });

    pending.addEverything('events were lost');
    expect(pending.take()).toEqual({ kind: 'everything', because: 'events were lost' });
    pending.add('c');
    expect(pending.take()).toEqual({ kind: 'paths', diskPaths: new Set(['c']) });
  });
});
