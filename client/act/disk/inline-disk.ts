import { freeRoom } from '../../../common/files/free-room.js';
import { changeFolder } from './change-folder.js';
import { heldBytes } from './held-bytes.js';
import { openPartial, removePartials } from '../download/partial-files.js';
import { copyBlocks } from './copy-blocks.js';
import type { Disk, StepHook } from './disk-task.js';
import { placeFiles } from './place-files.js';

/** A disk on the calling thread, which stands still meanwhile; `step` is told of every step, and may throw. */
export function createInlineDisk(step: StepHook): Disk {
  return {
    placeFiles: async (task) => placeFiles(task, step),
    changeFolder: async (task) => changeFolder(task, step),
    copyBlocks: async (task) => copyBlocks(task),
    openPartial,
    removePartials,
    freeBytes: freeRoom,
    heldBytes,
    close: async () => undefined,
  };
}
