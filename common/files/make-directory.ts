import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DrystoneError } from '../errors.js';
import { explainDiskFull } from './disk-full.js';
import { changeDirectoryDurably } from './durable-file.js';

/**
 * Makes a directory, and those above it that are missing, with `mode`: what it makes is durable when the promise resolves. One
 * that is there stays as it is. Raises FAILED_PRECONDITION: DIRECTORY_UNUSABLE where it cannot be made, with what the system says of that;
 * RESOURCE_EXHAUSTED: DISK_FULL where its disk is full.
 *
 * Not Node's own recursive mkdir: that never returns where the system says that a directory which can be seen is not there, as
 * Linux does below /proc.
 */
export async function makeDirectory(path: string, mode = 0o777): Promise<void> {
  try {
    await makeMissing(path, mode);
  } catch (cause) {
    const explained = explainDiskFull(path, cause);
    if (explained !== cause) throw explained;
    const message = `${path} is no directory, and none can be made there; choose another (${(cause as Error).message})`;
    throw new DrystoneError('FAILED_PRECONDITION', 'DIRECTORY_UNUSABLE', message, {}, { cause });
  }
}

async function makeMissing(path: string, mode: number): Promise<void> {
  if (await isDirectory(path)) return;
  const above = dirname(path);
  if (above !== path) await makeMissing(above, mode);
  // Opened first: where what is made could not be made durable, nothing is made.
  await changeDirectoryDurably(above, async () => {
    try {
      await mkdir(path, { mode });
    } catch (thrown) {
      // Another process may have made it in the meantime.
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST' || !(await isDirectory(path))) throw thrown;
    }
  });
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw thrown;
  }
}
