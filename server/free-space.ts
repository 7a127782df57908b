import { statfs } from 'node:fs/promises';

/** How much room a disk has left. */
export interface FreeSpace {
  /** Bytes that this process may still use on the disk, now. */
  freeBytes(): Promise<number>;
}

/** The free space of the file system that holds `path`. */
export function freeSpaceAt(path: string): FreeSpace {
  return {
    async freeBytes() {
      const { bavail, bsize } = await statfs(path);
      return bavail * bsize;
    },
  };
}
