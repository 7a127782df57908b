import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { explainDiskFull } from './disk-full.js';

/**
 * Writes a small file so that after a crash at any moment either the old or the whole new content is there: a temporary
 * file beside it, synced, renamed, and the directory synced. Durable when the promise resolves. Where it cannot be written,
 * nothing is left of the attempt; RESOURCE_EXHAUSTED (DISK_FULL) where the disk is full.
 */
export async function writeFileDurably(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  const temporary = `${path}.new`;
  try {
    await writeSynced(temporary, content, mode);
    await rename(temporary, path);
  } catch (thrown) {
    // What went wrong first is what counts.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw explainDiskFull(path, thrown);
  }
  await syncDirectory(dirname(path));
}

async function writeSynced(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  const file = await open(path, 'w', mode);
  try {
    // A file that an earlier attempt has left keeps the mode that it was made with.
    await file.chmod(mode);
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes renames and deletions in a directory durable. Where the platform cannot sync directories it does nothing. */
export async function syncDirectory(path: string): Promise<void> {
  await changeDirectoryDurably(path, () => Promise.resolve());
}

/**
 * Changes what a directory holds and makes that durable; where that would not be possible, `change` is not called. Where the
 * platform cannot sync directories it only calls it.
 */
export async function changeDirectoryDurably(path: string, change: () => Promise<void>): Promise<void> {
  if (process.platform === 'win32') return change();
  const directory = await open(path, 'r');
  try {
    await change();
    await directory.sync();
  } finally {
    await directory.close();
  }
}
