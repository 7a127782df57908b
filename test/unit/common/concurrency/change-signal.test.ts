import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { ChangeSignal } from '../../../../common/concurrency/change-signal.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function isSettled(promise: Promise<void>): Promise<boolean> {
  let settled = false;
  void promise.then(() => (settled = true));
  await turn();
  return settled;
}

describe('ChangeSignal', () => {
  it('wakes who was armed before the change, and not who is armed after it', async () => {
    const signal = new ChangeSignal();
    const before = signal.arm();
    const beforeToo = signal.arm(new AbortController().signal);
    signal.notify();
    const after = signal.arm();
    expect(await isSettled(before)).toBe(true);
    expect(await isSettled(beforeToo)).toBe(true);
    expect(await isSettled(after)).toBe(false);
  });

  it('wakes one whose abort signal aborts, and only that one', async () => {
    const signal = new ChangeSignal();
    const abort = new AbortController();
    const aborting = signal.arm(abort.signal);
    const other = signal.arm();
    abort.abort();
    expect(await isSettled(aborting)).toBe(true);
    expect(await isSettled(other)).toBe(false);
    expect(await isSettled(signal.arm(abort.signal))).toBe(true);
    expect(signal.waiterCount).toBe(1);
  });

  it('leaves nothing behind for a loop that arms again and again and never waits', async () => {
    const signal = new ChangeSignal();
    const { signal: ended } = new AbortController();
    for (let round = 0; round < 1000; round++) {
      void signal.arm(ended);
      void signal.arm();
    }
    expect(signal.waiterCount).toBe(2);
    expect(getEventListeners(ended, 'abort')).toHaveLength(1);
    signal.notify();
    expect(signal.waiterCount).toBe(0);
    expect(getEventListeners(ended, 'abort')).toHaveLength(0);
  });

  it('bears a waiter that notifies in its turn', async () => {
    const signal = new ChangeSignal();
    const chain = signal.arm().then(() => {
      const next = signal.arm();
      signal.notify();
      return next;
    });
    signal.notify();
    await chain;
  });
});
