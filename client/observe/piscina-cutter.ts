import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import { clientLimits } from '../../common/limits.js';
import { TaskCutter } from './task-cutter.js';
import type { Clock } from '../../common/clock.js';
import type { Cutter } from './cutter.js';
import type { CutTaskRunner, SegmentResult, SegmentTask, SmallFilesResult, SmallFilesTask } from './cut-task.js';

export interface PiscinaCutterOptions {
  readonly clock: Clock;
  /** cut-worker.js as it was built; beside this file unless given. */
  readonly workerFile?: URL;
  /** How many threads at the most; one a core up to `clientLimits.cutThreads` unless given. */
  readonly threads?: number;
}

/**
 * A cutter on worker threads. They are started when there is work for them and end when there has been none for
 * `clientLimits.cutThreadIdleMs`. `close` lets running tasks end and refuses those that wait.
 */
export function startPiscinaCutter(options: PiscinaCutterOptions): Cutter {
  const threads = options.threads ?? Math.min(availableParallelism(), clientLimits.cutThreads);
  const workerFile = options.workerFile ?? new URL('./cut-worker.js', import.meta.url);
  const pool = new Piscina({
    filename: workerFile.href,
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: clientLimits.cutThreadIdleMs,
    maxQueue: clientLimits.cutTasksQueued,
    recordTiming: false,
  });
  return new TaskCutter(poolRunner(pool, threads), options.clock);
}

function poolRunner(pool: Piscina, threads: number): CutTaskRunner {
  return {
    threads,
    cutSegment: (task: SegmentTask) => pool.run(task, { name: 'segment' }) as Promise<SegmentResult>,
    cutSmallFiles: (task: SmallFilesTask) => pool.run(task, { name: 'smallFiles' }) as Promise<SmallFilesResult>,
    close: () => pool.close({ force: true }),
  };
}
