import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { clientLimits } from '../../../common/limits.js';
import { createInlineCutter } from '../../../client/observe/inline-cutter.js';
import type { CutRequest } from '../../../client/observe/cutter.js';
import { ManualClock } from '../../support/manual-clock.js';
import { plant, requestFor, scratchFolder } from '../../support/observe/scratch-folder.js';

/** A request for a file, and the time at which that file had changed `ageMs` ago. */
function changedFor(ageMs: number): { request: CutRequest; nowMs: number } {
  const folder = scratchFolder();
  plant(folder, 'file');
  const request = requestFor(join(folder, 'file'));
  return { request, nowMs: Number(request.stamp.changedAtNs / 1_000_000n) + ageMs };
}

test('a file that has just changed is read when its stamp cannot come again', async () => {
  const { request, nowMs } = changedFor(5);
  const clock = new ManualClock(nowMs);
  const cutter = createInlineCutter(clock);
  const result = cutter.cutSmallFiles([request]);
  expect(clock.sleepingMs).toEqual([clientLimits.stampTickMs - 5]);

  utimesSync(request.absolutePath, 0, 0);
  clock.advance(clientLimits.stampTickMs - 5);
  expect((await result)[0]!.outcome).toBe('unstable');
});

test.each([
  ['long ago', 1_000],
  ['in the future, by another clock', -1_000],
])('a file that changed %s is read at once', async (_when, ageMs) => {
  const { request, nowMs } = changedFor(ageMs);
  const cutter = createInlineCutter(new ManualClock(nowMs));
  expect((await cutter.cutSmallFiles([request]))[0]!.outcome).toBe('cut');
});

test('the wait ends with CANCELLED for one who does not want the file any more', async () => {
  const { request, nowMs } = changedFor(5);
  const cutter = createInlineCutter(new ManualClock(nowMs));
  const stop = new AbortController();
  const first = cutter.cutFile(request, stop.signal)[Symbol.asyncIterator]().next();
  stop.abort();
  await expect(first).rejects.toMatchObject({ code: 'CANCELLED' });
  const late = cutter.cutFile(request, stop.signal)[Symbol.asyncIterator]().next();
  await expect(late).rejects.toMatchObject({ code: 'CANCELLED' });
});
