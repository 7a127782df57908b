import { statfs } from 'node:fs/promises';

/** Bytes that this process may still use on the disk of `directory`, now; infinite where the system does not say. Never rejects. */
export async function freeRoom(directory: string): Promise<number> {
  try {
    const { blocks, bavail, bsize } = await statfs(directory);
    return blocks === 0 ? Infinity : bavail * bsize;
  } catch {
    return Infinity;
  }
}
