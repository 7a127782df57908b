import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { clientLimits } from '../../../common/limits.js';
import { TreeWatch, type WatchOptions } from '../../../client/observe/watch-tree.js';
import type { ChangeHint } from '../../../client/observe/pending-changes.js';
import { ManualClock } from '../../support/manual-clock.js';
import { plant, scratchFolder } from '../../support/observe/scratch-folder.js';

const {
  fullScanIntervalMs,
  settleMaxMs,
  settleMs,
  unwatchedPathShown,
  unwatchedScanIntervalMs,
  watchFailuresAwaited,
  watchFailuresUntold,
} = clientLimits;
const never = new AbortController().signal;

type Subscribe = NonNullable<WatchOptions['subscribe']>;
type Callback = Parameters<Subscribe>[1];

/** A system's watcher that a test makes fail, tell and break. */
class FakeSystem {
  fails = false;
  /** How it fails. */
  message = "inotify_add_watch on '/folder/a' failed: No space left on device";
  attempts = 0;
  endFails = false;
  callback: Callback | undefined;

  readonly subscribe: Subscribe = async (_root, callback) => {
    this.attempts++;
    if (this.fails) throw new Error(this.message);
    this.callback = callback;
    return {
      unsubscribe: async () => {
        this.callback = undefined;
        if (this.endFails) throw new Error('Unable to remove watcher');
      },
    };
  };
}

async function watched(system: FakeSystem, prepare: (root: string) => void = () => undefined) {
  const root = realpathSync(scratchFolder());
  prepare(root);
  const clock = new ManualClock();
  const reports: string[] = [];
  const report = (message: string): number => reports.push(message);
  const watch = await TreeWatch.start({ root, clock, report, subscribe: system.subscribe });
  return { root, clock, reports, watch };
}

/** The next hint if there is one by now. */
async function soon(hint: Promise<ChangeHint>): Promise<ChangeHint | 'none yet'> {
  for (let turns = 0; turns < 20; turns++) await turn();
  return Promise.race([hint, Promise.resolve('none yet' as const)]);
}

describe('a watch', () => {
  test('hints at everything now and then, though nothing was noticed', async () => {
    const { clock, watch } = await watched(new FakeSystem());
    const hint = watch.next(never);
    clock.advance(fullScanIntervalMs - 1);
    expect(await soon(hint)).toBe('none yet');
    clock.advance(1);
    expect(await hint).toEqual({ kind: 'everything', because: 'it is time for a full scan' });
    expect(await soon(watch.next(never))).toBe('none yet');
  });

  test('hints at a change when it has settled', async () => {
    const system = new FakeSystem();
    const { root, clock, watch } = await watched(system);
    const hint = watch.next(never);
    await turn();
    system.callback!(null, [{ type: 'update', path: join(root, 'a/b') }]);
    expect(await soon(hint)).toBe('none yet');
    clock.advance(settleMs);
    expect(await hint).toEqual({ kind: 'paths', diskPaths: new Set(['a/b']) });
  });

  test('that cannot start says so once, and scans instead until it can', async () => {
    const system = new FakeSystem();
    system.fails = true;
    const { clock, reports, watch } = await watched(system);
    expect(watch.watching).toBe(false);
    expect(reports).toHaveLength(1);
    expect(reports[0]).toContain('No space left on device');
    expect(reports[0]).toContain('fs.inotify.max_user_watches');

    for (let scans = 0; scans < 3; scans++) {
      const hint = watch.next(never);
      clock.advance(unwatchedScanIntervalMs);
      expect(await hint).toMatchObject({ kind: 'everything' });
    }
    expect(reports).toHaveLength(1);

    system.fails = false;
    const hint = watch.next(never);
    clock.advance(unwatchedScanIntervalMs);
    await hint;
    expect(watch.watching).toBe(true);
    expect(reports).toEqual([reports[0], 'changes are watched again']);
  });

  test('that fails hints at everything, and is started anew before that without a word', async () => {
    const system = new FakeSystem();
    const { clock, reports, watch } = await watched(system);
    const hint = watch.next(never);
    await turn();
    system.callback!(new Error('events were dropped'), []);
    expect(watch.watching).toBe(false);
    clock.advance(settleMs);
    expect(await hint).toEqual({ kind: 'everything', because: 'the watcher failed' });
    expect(watch.watching).toBe(true);
    expect(reports).toEqual([]);
  });

  test('that fails at a directory that is gone is tried again soon, and again, before anybody is told', async () => {
    const system = new FakeSystem();
    const { root, clock, reports, watch } = await watched(system);
    system.fails = true;
    system.message = `inotify_add_watch on '${root}/bulk/docs' failed: No such file or directory`;
    const hint = watch.next(never);
    await turn();
    system.callback!(new Error(system.message), []);
    clock.advance(settleMs);
    for (let pauses = 0; pauses < 2; pauses++) {
      await soon(hint);
      clock.advance(Math.max(...clock.sleepingMs));
    }
    system.fails = false;
    await soon(hint);
    clock.advance(Math.max(...clock.sleepingMs));
    expect(await hint).toEqual({ kind: 'everything', because: 'the watcher failed' });
    expect(watch.watching).toBe(true);
    expect(system.attempts).toBe(4);
    expect(reports).toEqual([]);
  });

  test('that goes on failing says so in the end, without advice that would not help; until then everything is hinted at', async () => {
    const system = new FakeSystem();
    const { root, clock, reports, watch } = await watched(system);
    system.fails = true;
    system.message = `inotify_add_watch on '${root}/bulk/docs' failed: No such file or directory`;
    const hint = watch.next(never);
    await turn();
    system.callback!(new Error(system.message), []);
    clock.advance(settleMs);
    for (let failures = 2; failures < watchFailuresAwaited; failures++) {
      expect(await soon(hint)).toBe('none yet');
      clock.advance(Math.max(...clock.sleepingMs));
    }
    expect(await hint).toMatchObject({ kind: 'everything' });
    expect(system.attempts).toBe(watchFailuresAwaited);
    while (reports.length === 0) {
      const next = watch.next(never);
      clock.advance(settleMaxMs);
      await soon(next);
      expect(await next).toMatchObject({ kind: 'everything' });
    }
    expect(system.attempts).toBe(watchFailuresUntold);
    expect(await soon(watch.next(never))).toBe('none yet');
    expect(reports).toEqual([
      `changes in ${root} cannot be watched and are looked for every 30 seconds instead: ` +
        'bulk/docs: No such file or directory',
    ]);
  });

  test('that fails over and over is started anew at growing pauses', async () => {
    const system = new FakeSystem();
    const { clock, watch } = await watched(system);
    const restedMs: number[] = [];
    for (let failures = 0; failures < 8; failures++) {
      const hint = watch.next(never);
      await turn();
      system.callback!(new Error('events were dropped'), []);
      clock.advance(settleMs);
      await soon(hint);
      restedMs.push(clock.sleepingMs[0] ?? 0);
      clock.advance(restedMs.at(-1) ?? 0);
      await hint;
    }
    expect(restedMs).toEqual([0, 0, 100, 300, 700, 1500, settleMaxMs - settleMs, settleMaxMs - settleMs]);
  });

  test('names the path that is too long for the system, cut short', async () => {
    const system = new FakeSystem();
    system.fails = true;
    const long = `deep/${'x'.repeat(4400)}`;
    const { root, reports } = await watched(system, (real) => {
      system.message = `inotify_add_watch on '${real}/${long}' failed: File name too long`;
    });
    expect(system.attempts).toBe(1);
    expect(reports).toEqual([
      `changes in ${root} cannot be watched and are looked for every 30 seconds instead: ` +
        `${long.slice(0, unwatchedPathShown)}…: File name too long; the path is longer than the system allows, so move or rename it`,
    ]);
  });

  test('that waits to be started anew ends at once with the sync', async () => {
    const system = new FakeSystem();
    const { clock, reports, watch } = await watched(system);
    system.fails = true;
    system.message = 'No such file or directory';
    const stop = new AbortController();
    const hint = watch.next(stop.signal);
    await turn();
    system.callback!(new Error(system.message), []);
    clock.advance(settleMs);
    expect(await soon(hint)).toBe('none yet');
    stop.abort();
    expect(await hint).toMatchObject({ kind: 'everything' });
    expect(reports).toEqual([]);
  });

  test('that could not be ended to be started anew is trusted less', async () => {
    const system = new FakeSystem();
    system.endFails = true;
    const { root, clock, watch } = await watched(system);
    const first = watch.next(never);
    await turn();
    plant(root, 'moved/in/file');
    system.callback!(null, [{ type: 'create', path: join(root, 'moved') }]);
    clock.advance(settleMs);
    expect(await first).toEqual({ kind: 'everything', because: 'directories came that were not empty' });

    const second = watch.next(never);
    clock.advance(unwatchedScanIntervalMs);
    expect(await second).toMatchObject({ kind: 'everything' });
    await watch.close();
  });

  test('is not started anew for directories that were all announced', async () => {
    const system = new FakeSystem();
    const { root, clock, watch } = await watched(system);
    const { callback } = system;
    const hint = watch.next(never);
    await turn();
    plant(root, 'made/within/file');
    const create = (path: string) => ({ type: 'create' as const, path: join(root, path) });
    system.callback!(null, [create('made'), create('made/within')]);
    clock.advance(settleMs);
    expect(await hint).toMatchObject({ kind: 'paths' });
    expect(system.callback).toBe(callback);
  });
});
