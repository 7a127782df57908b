import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileContent, ItemPath } from '../../../common/feed/item.js';
import type { OpenPartial } from '../disk/disk-task.js';

/**
 * Files of which a part has been fetched. They keep their names over a restart, so that an interrupted download goes on
 * where it was; what they hold counts for nothing until it has been verified block by block.
 */
const PREFIX = 'partial-';
const OPEN_OR_CREATE = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;

/** The name, in the directory for temporary files, under which this content is gathered for this path. */
export function partialName(path: ItemPath, { blocks: { hashes } }: FileContent): string {
  return PREFIX + createHash('sha256').update(path).update('\0').update(hashes).digest('hex');
}

/** See `Disk.openPartial`. */
export async function openPartial(path: string, sizeBytes: number): Promise<OpenPartial> {
  const handle = await open(path, OPEN_OR_CREATE);
  try {
    const { size } = await handle.stat();
    const isResumed = size === sizeBytes;
    if (!isResumed) await handle.truncate(sizeBytes);
    return { handle, isResumed };
  } catch (thrown) {
    await handle.close();
    throw thrown;
  }
}

/** See `Disk.removePartials`. */
export async function removePartials(directory: string, except: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(directory).catch(nothingWhereGone)) {
    if (name.startsWith(PREFIX) && !except.has(name)) await rm(join(directory, name), { force: true });
  }
}

/** What becomes of a sync whose own directory was removed is said by the next look at the folder. */
function nothingWhereGone(thrown: NodeJS.ErrnoException): string[] {
  if (thrown.code === 'ENOENT') return [];
  throw thrown;
}

/** Removes what a process that is gone has left in `directory`, except partial files. */
export async function clearTemporaries(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(PREFIX)) await rm(join(directory, name), { recursive: true, force: true });
  }
}
