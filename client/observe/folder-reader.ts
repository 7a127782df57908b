import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync, type BigIntStats, type Dirent } from 'node:fs';

/** An entry of a directory as its list tells. */
export type FoundEntry = Pick<
  Dirent,
  'name' | 'isFile' | 'isDirectory' | 'isSymbolicLink' | 'isSocket' | 'isFIFO' | 'isBlockDevice' | 'isCharacterDevice'
>;

/** What a look at an entry tells of it. */
export type FoundStats = Pick<BigIntStats, 'isFile' | 'size' | 'mtimeNs' | 'mtimeMs' | 'ctimeNs' | 'ino' | 'mode'>;

/** All that a scan asks of a file system, by absolute paths. Every question raises what the file system raises. */
export interface FolderReader {
  /** What tells a directory, whatever its name, from every other. */
  identity(directory: string): string;
  list(directory: string): readonly FoundEntry[];
  /** Undefined where nothing is there. Follows no symlink. */
  look(path: string): FoundStats | undefined;
  /** Where a symlink leads, in bytes. */
  target(path: string): Buffer;
  /** The text of a file. */
  text(path: string): string;
}

/** The file system of this machine. */
export const diskReader: FolderReader = {
  identity(directory) {
    const { dev, ino } = statSync(directory, { bigint: true });
    return `${dev}:${ino}`;
  },
  list: (directory) => readdirSync(directory, { withFileTypes: true }),
  look: (path) => lstatSync(path, { bigint: true, throwIfNoEntry: false }),
  target: (path) => readlinkSync(path, 'buffer'),
  text: (path) => readFileSync(path, 'utf8'),
};
