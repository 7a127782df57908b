import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { whileFull } from '../../../../client/state/until-room.js';
import { awaitRoom } from '../../../../client/sync/await-room.js';
import { DrystoneError } from '../../../../common/errors.js';
import { retryLimits } from '../../../../common/limits.js';
import { ManualClock } from '../../../support/manual-clock.js';

const full = new DrystoneError('RESOURCE_EXHAUSTED', 'DISK_FULL', 'make room', { retryAfterMs: 7_000 });

/** A change that fails with `error` until there is room. */
function changeUnless(room: { isThere: boolean }, error = full): () => Promise<string> {
  return () => (room.isThere ? Promise.resolve('done') : Promise.reject(error));
}

test('a change of a full disk is said to wait, and made again until there is room', async () => {
  const [clock, room, said] = [new ManualClock(), { isThere: false }, [] as [string, number][]];
  const reporter = { waiting: (reason: string, delayMs: number) => said.push([reason, delayMs]) };
  const changed = whileFull(awaitRoom(reporter, clock, false, new AbortController().signal), changeUnless(room));
  for (let round = 1; round <= 2 * retryLimits.attempts; round++) {
    await turn();
    expect(said).toHaveLength(round);
    clock.advance(7_000);
  }
  room.isThere = true;
  await turn();
  clock.advance(7_000);
  expect(await changed).toBe('done');
  expect(said[0]).toEqual(['make room', 7_000]);
});

test('it fails in the end where the sync is to run once, and when the sync is ended', async () => {
  const [clock, room] = [new ManualClock(), { isThere: false }];
  const reporter = { waiting: () => undefined };
  const once = whileFull(awaitRoom(reporter, clock, true, new AbortController().signal), changeUnless(room));
  const failed = expect(once).rejects.toBe(full);
  for (let round = 1; round < retryLimits.attempts; round++) {
    await turn();
    clock.advance(7_000);
  }
  await failed;
  const ended = new AbortController();
  const aborted = whileFull(awaitRoom(reporter, clock, false, ended.signal), changeUnless(room));
  await turn();
  ended.abort();
  await expect(aborted).rejects.toThrow();
});

test('any other failure is not waited for', async () => {
  const broken = new DrystoneError('INTERNAL', 'STORE_FAILED', 'broken');
  const untilRoom = (): Promise<void> => Promise.reject(new Error('waited'));
  await expect(whileFull(untilRoom, changeUnless({ isThere: false }, broken))).rejects.toBe(broken);
});
