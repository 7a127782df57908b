import { changeFolder as change } from './change-folder.js';
import { copyBlocks as copy } from './copy-blocks.js';
import type { ChangeFolderTask, CopyBlocksTask, CopyOutcome, DiskOutcome, PlaceFilesTask } from './disk-task.js';
import { placeFiles as place } from './place-files.js';

/** What a thread of the disk pool runs, by the names under which the pool asks for it. */

const unobserved = (): void => undefined;

export const placeFiles = (task: PlaceFilesTask): DiskOutcome[] => place(task, unobserved);
export const changeFolder = (task: ChangeFolderTask): DiskOutcome[] => change(task, unobserved);
export const copyBlocks = (task: CopyBlocksTask): CopyOutcome => copy(task);
