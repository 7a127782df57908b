import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { STATE_DIRECTORY } from '../../client/observe/ignore-rules.js';
import { DrystoneError } from '../../common/errors.js';

/**
 * FAILED_PRECONDITION (FOLDER_UNREADABLE) where it cannot be told whether a directory is, or lies in, a synced folder, because
 * it, or the state of such a folder, cannot be looked into: that is another thing than to be none. One that is not there is none.
 */
export async function requireReadable(directory: string): Promise<void> {
  for (let root = directory; ; root = dirname(root)) {
    const thrown = await refusalOf(join(root, STATE_DIRECTORY, 'FORMAT'));
    if (thrown === undefined) return;
    if (thrown.code !== 'ENOENT' && thrown.code !== 'ENOTDIR') {
      const message = `${directory} cannot be looked into: ${thrown.message}; ask as somebody who may, or correct the path`;
      throw new DrystoneError('FAILED_PRECONDITION', 'FOLDER_UNREADABLE', message, {}, { cause: thrown });
    }
    if (root === dirname(root)) return;
  }
}

function refusalOf(path: string): Promise<NodeJS.ErrnoException | undefined> {
  return access(path).then(
    () => undefined,
    (thrown: unknown) => thrown as NodeJS.ErrnoException,
  );
}
