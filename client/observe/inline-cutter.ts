import { LocalTaskRunner } from './local-task-runner.js';
import { TaskCutter } from './task-cutter.js';
import type { Clock } from '../../common/clock.js';
import type { Cutter } from './cutter.js';

/** A cutter on the calling thread, which stands still meanwhile: for tests, and where there is one core only. */
export function createInlineCutter(clock: Clock): Cutter {
  const local = new LocalTaskRunner();
  const runner = {
    threads: 1,
    cutSegment: async (...[task]: Parameters<typeof local.cutSegment>) => local.cutSegment(task),
    cutSmallFiles: async (...[task]: Parameters<typeof local.cutSmallFiles>) => local.cutSmallFiles(task),
    close: async () => undefined,
  };
  return new TaskCutter(runner, clock);
}
