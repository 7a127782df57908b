import { freeRoom } from '../../../common/files/free-room.js';
import { clientLimits } from '../../../common/limits.js';
import { startWorkerPool } from '../../worker-pool.js';
import { heldBytes } from './held-bytes.js';
import { openPartial, removePartials } from '../download/partial-files.js';
import type { Disk } from './disk-task.js';

export interface DiskPoolOptions {
  /** disk-worker.js as it was built; beside this file unless given. */
  readonly workerFile?: URL;
}

/** A disk on worker threads, so that the calling thread never waits for one. They live while there is work for them. */
export function startDiskPool({ workerFile }: DiskPoolOptions = {}): Disk {
  const pool = startWorkerPool({
    work: 'changing the folder',
    workerFile: workerFile ?? new URL('./disk-worker.js', import.meta.url),
    maxThreads: clientLimits.diskThreads,
    idleMs: clientLimits.diskThreadIdleMs,
    tasksQueued: clientLimits.diskTasksQueued,
  });
  return {
    placeFiles: (task) => pool.run('placeFiles', task, [task.content]),
    changeFolder: (task) => pool.run('changeFolder', task),
    copyBlocks: (task) => pool.run('copyBlocks', task),
    openPartial,
    removePartials,
    freeBytes: freeRoom,
    heldBytes,
    close: () => pool.close(),
  };
}
