import { lstat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DrystoneError } from '../errors.js';
import { explainDiskFull } from './disk-full.js';
import { syncDirectory } from './durable-file.js';

/**
 * The name by which a directory says that it is Drystone's own, or a synced folder of its own: one that has an entry of this
 * name is never synced as a part of another. No client puts an item of this name into its folder, so nobody can have the
 * directories of others left out.
 */
export const PRIVATE_MARK = '.drystone';

const TEXT = 'Drystone keeps keys or data in this directory, which is therefore never synced.\n';

/**
 * Marks a directory in which keys are to be kept; to be called before the first is. Durable when the promise resolves;
 * idempotent. FAILED_PRECONDITION (DIRECTORY_UNUSABLE) where the directory is a synced folder, RESOURCE_EXHAUSTED (DISK_FULL)
 * on a full disk.
 */
export async function markPrivate(directory: string): Promise<void> {
  const path = join(directory, PRIVATE_MARK);
  try {
    await writeFile(path, TEXT, { flag: 'wx' });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw explainDiskFull(path, thrown);
    if (!(await lstat(path)).isDirectory()) return;
    const message = `${directory} is a synced folder, where no keys are safe; choose another directory`;
    throw new DrystoneError('FAILED_PRECONDITION', 'DIRECTORY_UNUSABLE', message, {}, { cause: thrown });
  }
  await syncDirectory(directory);
}
