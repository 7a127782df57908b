import { Piscina } from 'piscina';
import { clientLimits } from '../../../common/limits.js';
import type { CopyOutcome, Disk, DiskOutcome } from './disk-task.js';

export interface DiskPoolOptions {
  /** disk-worker.js as it was built; beside this file unless given. */
  readonly workerFile?: URL;
}

/** A disk on worker threads, so that the calling thread never waits for one. They live while there is work for them. */
export function startDiskPool({ workerFile }: DiskPoolOptions = {}): Disk {
  const pool = new Piscina({
    filename: (workerFile ?? new URL('./disk-worker.js', import.meta.url)).href,
    minThreads: 0,
    maxThreads: clientLimits.diskThreads,
    idleTimeout: clientLimits.diskThreadIdleMs,
    maxQueue: clientLimits.diskTasksQueued,
    recordTiming: false,
  });
  return {
    placeFiles: (task) =>
      pool.run(task, { name: 'placeFiles', transferList: [task.content] }) as Promise<readonly DiskOutcome[]>,
    changeFolder: (task) => pool.run(task, { name: 'changeFolder' }) as Promise<readonly DiskOutcome[]>,
    copyBlocks: (task) => pool.run(task, { name: 'copyBlocks' }) as Promise<CopyOutcome>,
    close: () => pool.close({ force: true }),
  };
}
