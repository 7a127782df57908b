import { lstatSync, readlinkSync, type BigIntStats } from 'node:fs';
import { dirname, join } from 'node:path';
import { isKeptByClient } from '../../observe/ignore-rules.js';
import type { Observation } from '../../observe/observation.js';
import { sameStamp, stampOf } from '../../observe/stable-file.js';
import type { Place, Standing } from './disk-task.js';

/** Raised where the folder is not as an operation expects. */
export class FolderChanged extends Error {}

/** The folder during one task: what was checked once is not checked again. */
export class SafeFolder {
  readonly #checked = new Set<string>();

  /** @param root absolute; what it is itself, even a symlink, was the choice of whoever named it. */
  constructor(readonly root: string) {
    this.#checked.add(root);
  }

  /**
   * The absolute path of a place. Raises {@link FolderChanged} unless everything above it is a directory: through a
   * symlink one would get out of the folder. What the client itself keeps in the folder is no place either.
   */
  locate({ diskPath }: Place): string {
    if (isKeptByClient(diskPath)) throw new FolderChanged();
    const absolute = join(this.root, diskPath);
    this.#checkDirectory(dirname(absolute));
    return absolute;
  }

  /** What stands at a place now. */
  standing(place: Place): Standing {
    return standingAt(this.locate(place), place);
  }

  /** The absolute path of a place; raises {@link FolderChanged} unless what stands there is what is expected. */
  locateExpected(place: Place, expected: Standing): string {
    const absolute = this.locate(place);
    if (!isAs(standingAt(absolute, place), expected)) throw new FolderChanged();
    return absolute;
  }

  #checkDirectory(absolute: string): void {
    if (this.#checked.has(absolute)) return;
    this.#checkDirectory(dirname(absolute));
    const stats = lstatSync(absolute, { throwIfNoEntry: false });
    if (stats?.isDirectory() !== true) throw new FolderChanged();
    this.#checked.add(absolute);
  }
}

function standingAt(absolute: string, { path }: Place): Standing {
  const stats = lstatSync(absolute, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  if (stats.isFile()) return observedFile(path, stats);
  if (stats.isDirectory()) return { kind: 'directory', path };
  if (stats.isSymbolicLink()) return { kind: 'symlink', path, target: readlinkSync(absolute) };
  // A pipe, socket or device is never what is expected.
  throw new FolderChanged();
}

const OWNER_MAY_EXECUTE = 0o100n;

function observedFile(path: Place['path'], stats: BigIntStats): Observation {
  const modifiedAtMs = Number(stats.mtimeMs);
  return {
    kind: 'file',
    path,
    stamp: stampOf(stats),
    modifiedAtMs,
    executable: (stats.mode & OWNER_MAY_EXECUTE) !== 0n,
  };
}

/** Whether two standings are the same: for files the very same bytes, as far as stamps tell. */
function isAs(found: Standing, expected: Standing): boolean {
  if (found === undefined || expected === undefined) return found === expected;
  switch (found.kind) {
    case 'file':
      return expected.kind === 'file' && sameStamp(found.stamp, expected.stamp);
    case 'symlink':
      return expected.kind === 'symlink' && found.target === expected.target;
    case 'directory':
      return expected.kind === 'directory';
  }
}
