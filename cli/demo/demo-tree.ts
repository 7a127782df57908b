import { cp, lstat, mkdir, readdir, rename, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { invalidArgument } from '../../common/errors.js';
import { makeSampleTree } from './sample-tree.js';

/** What makes a folder a synced one, and what would leave things out of it. */
const LEFT_OUT = ['.drystone', '.drystoneignore'];

/**
 * Puts what the demo syncs into the new directory `target`: a copy of the folder `source`, or a sample where there is
 * none. Sockets, pipes and devices are left out, and so are a client's own state and ignore rules. Raises
 * INVALID_ARGUMENT where `source` is no directory.
 */
export async function prepareTree(source: string | undefined, target: string): Promise<void> {
  if (source === undefined) {
    await mkdir(target);
    await makeSampleTree(target);
    return;
  }
  const isDirectory = await stat(source).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isDirectory) throw invalidArgument('--source', `must be a directory, and ${source} is none`);
  await cp(source, target, {
    recursive: true,
    preserveTimestamps: true,
    verbatimSymlinks: true,
    filter: async (path) => !LEFT_OUT.includes(basename(path)) && (await isSyncable(path)),
  });
}

async function isSyncable(path: string): Promise<boolean> {
  const found = await lstat(path);
  return found.isFile() || found.isDirectory() || found.isSymbolicLink();
}

/** Moves all that lies in `from` into `to`, at once for anyone who watches. */
export async function moveContents(from: string, to: string): Promise<void> {
  for (const name of await readdir(from)) await rename(join(from, name), join(to, name));
}
