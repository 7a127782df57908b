import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import { DrystoneError, cancelled, overloaded } from '../../common/errors.js';
import { clientLimits } from '../../common/limits.js';
import { TaskCutter } from './task-cutter.js';
import type { Clock } from '../../common/clock.js';
import type { Cutter } from './cutter.js';
import type { CutTaskRunner, SegmentResult, SegmentTask, SmallFilesResult, SmallFilesTask } from './cut-task.js';

const RETRY_AFTER_MS = 1_000;

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
  const workerFile = options.workerFile ?? new URL('./cut-worker.js', import.meta.url);
  const pool = new Piscina({
    filename: workerFile.href,
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: clientLimits.cutThreadIdleMs,
    recordTiming: false,
  });
  return new TaskCutter(poolRunner(pool, threads), options.clock);
}

function poolRunner(pool: Piscina, threads: number): CutTaskRunner {
  /** Ends every task: with CANCELLED once closed, else with what broke the pool. */
  const ended = new AbortController();
  pool.on('error', (error: Error) => ended.abort(brokenPool(error)));
  const run = async (name: string, task: SegmentTask | SmallFilesTask): Promise<unknown> => {
    ended.signal.throwIfAborted();
    if (pool.queueSize >= clientLimits.cutTasksQueued)
      throw overloaded('too much is waiting to be cut', RETRY_AFTER_MS);
    try {
      return await pool.run(task, { name, signal: ended.signal });
    } catch (error) {
      throw ended.signal.aborted ? ended.signal.reason : error;
    }
  };
  return {
    threads,
    cutSegment: (task) => run('segment', task) as Promise<SegmentResult>,
    cutSmallFiles: (task) => run('smallFiles', task) as Promise<SmallFilesResult>,
    close() {
      ended.abort(cancelled('cutting'));
      return pool.destroy();
    },
  };
}

/** A thread that could not start, or died between two tasks. */
function brokenPool(error: Error): DrystoneError {
  const message = `a cutting thread failed: ${error.message}; restart, and report this if it happens again`;
  return new DrystoneError('INTERNAL', 'INTERNAL', message, {}, { cause: error });
}
