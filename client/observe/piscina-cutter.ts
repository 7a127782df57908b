import { availableParallelism } from 'node:os';
import type { Clock } from '../../common/clock.js';
import { clientLimits } from '../../common/limits.js';
import { startWorkerPool } from '../worker-pool.js';
import type { SegmentResult, SegmentTask, SmallFilesResult, SmallFilesTask } from './cut-task.js';
import type { Cutter } from './cutter.js';
import { TaskCutter } from './task-cutter.js';

export interface PiscinaCutterOptions {
  readonly clock: Clock;
  /** cut-worker.js as it was built; beside this file unless given. */
  readonly workerFile?: URL;
  /** How many threads at the most; one a core up to `clientLimits.cutThreads` unless given. */
  readonly threads?: number;
}

/**
 * A cutter on worker threads. They are started when there is work for them and end when there has been none for
 * `clientLimits.cutThreadIdleMs`. `close` ends what is under way, and refuses what comes later, with CANCELLED. A thread
 * that cannot start or dies does the same with INTERNAL.
 */
export function startPiscinaCutter(options: PiscinaCutterOptions): Cutter {
  const threads = options.threads ?? Math.min(availableParallelism(), clientLimits.cutThreads);
  const pool = startWorkerPool({
    work: 'cutting',
    workerFile: options.workerFile ?? new URL('./cut-worker.js', import.meta.url),
    maxThreads: threads,
    idleMs: clientLimits.cutThreadIdleMs,
    tasksQueued: clientLimits.cutTasksQueued,
  });
  const runner = {
    threads,
    cutSegment: (task: SegmentTask) => pool.run<SegmentResult>('segment', task),
    cutSmallFiles: (task: SmallFilesTask) => pool.run<SmallFilesResult>('smallFiles', task),
    close: () => pool.close(),
  };
  return new TaskCutter(runner, options.clock);
}
