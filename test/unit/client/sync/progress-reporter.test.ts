import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { SyncObserver, SyncProgress } from '../../../../client/progress.js';
import { ProgressReporter } from '../../../../client/sync/progress-reporter.js';
import { SyncTally } from '../../../../client/tally.js';
import { clientLimits } from '../../../../common/limits.js';
import { ManualClock } from '../../../support/manual-clock.js';

function reporting(observe: (progress: SyncProgress) => void = () => undefined) {
  const clock = new ManualClock();
  const tally = new SyncTally();
  const seen: SyncProgress[] = [];
  const nothing = (): void => undefined;
  const progress = (told: SyncProgress): void => {
    seen.push(told);
    observe(told);
  };
  const observer: SyncObserver = { progress, problem: nothing, conflict: nothing, waiting: nothing };
  return { clock, tally, seen, reporter: new ProgressReporter(observer, tally, clock) };
}

it('tells how far the work has come at each interval while it goes on, and no longer', async () => {
  const { clock, tally, seen, reporter } = reporting();
  reporter.phase('syncing');
  let finish = (_result: string): void => undefined;
  const during = reporter.during(new Promise<string>((resolve) => (finish = resolve)));
  for (const bytesDone of [10, 20]) {
    tally.work.bytesDone = bytesDone;
    clock.advance(clientLimits.progressIntervalMs);
    await turn();
  }
  finish('done');
  expect(await during).toBe('done');
  clock.advance(10 * clientLimits.progressIntervalMs);
  await turn();
  expect(seen.map(({ phase, bytesDone }) => `${phase} ${bytesDone}`)).toEqual([
    'syncing 0',
    'syncing 10',
    'syncing 20',
  ]);
  expect(clock.sleepingMs).toEqual([]);
});

it('fails as the work fails, and as the observer does once the work has ended', async () => {
  const broken = reporting(() => {
    throw new Error('the observer is broken');
  });
  await expect(broken.reporter.during(Promise.reject(new Error('the work failed')))).rejects.toThrow('the work failed');
  let finish = (): void => undefined;
  const during = broken.reporter.during(new Promise<void>((resolve) => (finish = resolve)));
  await turn();
  broken.clock.advance(clientLimits.progressIntervalMs);
  await turn();
  finish();
  await expect(during).rejects.toThrow('the observer is broken');
});

it('counts what was left out, each once, and not what is synced all the same', () => {
  const { tally, reporter } = reporting();
  for (let times = 0; times < 2; times++) reporter.problem({ name: 'pipe', problem: 'it is a named pipe' });
  reporter.problem({ name: 'Name', problem: 'some cannot tell it', isSynced: true });
  expect(tally.summary().problems).toBe(1);
});
