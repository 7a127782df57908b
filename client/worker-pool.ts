import { setMaxListeners } from 'node:events';
import { Piscina } from 'piscina';
import { cancelled, DrystoneError, overloaded } from '../common/errors.js';

export interface WorkerPoolOptions {
  /** What the threads do, for people: `cutting`. */
  readonly work: string;
  /** The module whose exported functions are the tasks. */
  readonly workerFile: URL;
  readonly maxThreads: number;
  /** How long a thread waits for the next task before it ends. */
  readonly idleMs: number;
  /** Tasks that wait for a thread; more are refused. */
  readonly tasksQueued: number;
}

/** Worker threads that are started when there is work for them. */
export interface WorkerPool {
  /**
   * Runs the exported function `name` of the worker with `task`; the buffers of `transferList` are moved, not copied.
   * Raises what the function threw, RESOURCE_EXHAUSTED where too much is waiting, CANCELLED once the pool is closed, and
   * INTERNAL where a thread could not start or died.
   */
  run<Result>(name: string, task: object, transferList?: readonly ArrayBuffer[]): Promise<Result>;
  /** Ends the threads and what is under way on them. Idempotent. */
  close(): Promise<void>;
}

const RETRY_AFTER_MS = 1_000;

/** Opens a pool; no thread runs yet. */
export function startWorkerPool({ work, workerFile, maxThreads, idleMs, tasksQueued }: WorkerPoolOptions): WorkerPool {
  const pool = new Piscina({
    filename: workerFile.href,
    minThreads: 0,
    maxThreads,
    idleTimeout: idleMs,
    recordTiming: false,
  });
  /** Ends every task: with CANCELLED once closed, else with what broke the pool. Piscina would leave them waiting. */
  const ended = new AbortController();
  // Each task listens until it is done: as many as may wait, and as run, are no leak.
  setMaxListeners(tasksQueued + maxThreads, ended.signal);
  pool.on('error', (error: Error) => ended.abort(brokenPool(work, error)));
  return {
    async run<Result>(name: string, task: object, transferList: readonly ArrayBuffer[] = []): Promise<Result> {
      ended.signal.throwIfAborted();
      if (pool.queueSize >= tasksQueued) throw overloaded(`too much is waiting for ${work}`, RETRY_AFTER_MS);
      try {
        const { signal } = ended;
        return (await pool.run(task, { name, signal, transferList: [...transferList] })) as Result;
      } catch (error) {
        throw ended.signal.aborted ? ended.signal.reason : error;
      }
    },
    close() {
      ended.abort(cancelled(work));
      return pool.destroy();
    },
  };
}

/** A thread that could not start, or died between two tasks. */
function brokenPool(work: string, error: Error): DrystoneError {
  const message = `a thread for ${work} failed: ${error.message}; restart, and report this if it happens again`;
  return new DrystoneError('INTERNAL', 'INTERNAL', message, {}, { cause: error });
}
