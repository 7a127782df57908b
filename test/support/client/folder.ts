import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** What a folder holds, without what the client keeps there: path to what stands there, in order. */
export function folderOf(root: string): Record<string, string> {
  const entries: Record<string, string> = {};
  const visit = (directory: string): void => {
    for (const name of readdirSync(join(root, directory)).sort()) {
      const path = directory === '' ? name : `${directory}/${name}`;
      if (path === '.drystone') continue;
      // As whole numbers: a floating-point mtimeMs can round up to the next millisecond.
      const stats = lstatSync(join(root, path), { bigint: true });
      if (stats.isDirectory()) {
        entries[path] = 'directory';
        visit(path);
      } else if (stats.isSymbolicLink()) {
        entries[path] = `-> ${readlinkSync(join(root, path))}`;
      } else {
        const executable = (stats.mode & 0o100n) === 0n ? '' : ' (executable)';
        entries[path] = `${stats.mtimeMs} ${readFileSync(join(root, path), 'latin1')}${executable}`;
      }
    }
  };
  visit('');
  return entries;
}
