import { expect, it } from 'vitest';
import { Doorbell } from '../../../../common/feed-service/doorbell.js';

/** Whether a promise has settled once everything that can run has run. */
async function hasSettled(promise: Promise<void>): Promise<boolean> {
  let settled = false;
  void promise.then(() => (settled = true));
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

it('wakes who waits', async () => {
  const bell = new Doorbell();
  const waiting = bell.wait();
  expect(await hasSettled(waiting)).toBe(false);
  bell.ring();
  expect(await hasSettled(waiting)).toBe(true);
});

it('keeps a ring for who comes later, several as one', async () => {
  const bell = new Doorbell();
  bell.ring();
  bell.ring();
  expect(await hasSettled(bell.wait())).toBe(true);
  const waiting = bell.wait();
  expect(await hasSettled(waiting)).toBe(false);
  bell.ring();
  expect(await hasSettled(waiting)).toBe(true);
});
