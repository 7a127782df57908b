import { lstat } from 'node:fs/promises';

/** The unit in which `stat` counts what a file takes of the disk, whatever the disk's own is. */
const STAT_BLOCK_BYTES = 512;

/** See `Disk.heldBytes`. */
export async function heldBytes(path: string): Promise<number> {
  try {
    const { blocks } = await lstat(path);
    return blocks * STAT_BLOCK_BYTES;
  } catch {
    return 0;
  }
}
