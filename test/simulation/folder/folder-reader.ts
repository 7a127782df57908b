import type { FolderReader, FoundEntry, FoundStats } from '../../../client/observe/folder-reader.js';
import type { ItemPath } from '../../../common/feed/item.js';
import { parentPath } from '../../../common/feed/paths.js';
import { stampOf, type Entry, type SimulatedFolder } from './folder.js';

const EXECUTABLE_MODE = 0o100755n;
const PLAIN_MODE = 0o100644n;

/** What scans see of a simulated folder that lies at `root`. */
export function readerOf(folder: SimulatedFolder, root: string): FolderReader {
  const pathOf = (absolute: string): ItemPath => absolute.slice(root.length + 1) as ItemPath;
  return {
    identity: () => root,
    list(directory) {
      const above = directory === root ? undefined : pathOf(directory);
      if (above !== undefined && folder.entries.get(above)?.kind !== 'directory') throw failure('ENOENT', directory);
      return [...folder.entries]
        .filter(([path]) => parentPath(path) === above)
        .map(([path, entry]) => found(path, entry));
    },
    look(absolute) {
      const entry = folder.entries.get(pathOf(absolute));
      return entry && statsOf(entry);
    },
    target(absolute) {
      const entry = folder.entries.get(pathOf(absolute));
      if (entry?.kind !== 'symlink') throw failure(entry === undefined ? 'ENOENT' : 'EINVAL', absolute);
      return Buffer.from(entry.target);
    },
    text(absolute) {
      const entry = folder.entries.get(pathOf(absolute));
      if (entry?.kind !== 'file') throw failure('ENOENT', absolute);
      return entry.bytes.toString();
    },
  };
}

/** An error as the file system raises it. */
export function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

const no = (): boolean => false;

function found(path: ItemPath, { kind }: Entry): FoundEntry {
  return {
    name: path.slice((parentPath(path)?.length ?? -1) + 1),
    isFile: () => kind === 'file',
    isDirectory: () => kind === 'directory',
    isSymbolicLink: () => kind === 'symlink',
    isSocket: no,
    isFIFO: no,
    isBlockDevice: no,
    isCharacterDevice: no,
  };
}

function statsOf(entry: Entry): FoundStats {
  const isFile = (): boolean => entry.kind === 'file';
  if (entry.kind !== 'file')
    return { isFile, size: 0n, mtimeNs: 0n, mtimeMs: 0n, ctimeNs: 0n, ino: 0n, mode: PLAIN_MODE };
  const { sizeBytes, modifiedAtNs, changedAtNs, inode } = stampOf(entry);
  const mode = entry.executable ? EXECUTABLE_MODE : PLAIN_MODE;
  const mtimeMs = BigInt(entry.modifiedAtMs);
  return { isFile, size: BigInt(sizeBytes), mtimeNs: modifiedAtNs, mtimeMs, ctimeNs: changedAtNs, ino: inode, mode };
}
