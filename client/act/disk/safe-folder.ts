import { closeSync, constants, existsSync, lstatSync, openSync, readlinkSync, type BigIntStats } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isKeptByClient } from '../../observe/ignore-rules.js';
import type { Observation } from '../../observe/observation.js';
import { sameStamp, stampOf } from '../../observe/stable-file.js';
import type { Place, Standing } from './disk-task.js';

/** Raised where the folder is not as an operation expects. */
export class FolderChanged extends Error {}

/** Opens a directory only to go on from it, for which one need not be allowed to read it. Node.js has no name for it. */
const O_PATH = 0o10_000_000;
const DESCRIPTORS = '/proc/self/fd';
const PASSED_THROUGH = constants.O_DIRECTORY | O_PATH;

/** What a path has room for on Linux, the zero at its end included. */
const PATH_BYTES = 4096;

function tooLong(): Error {
  return Object.assign(new Error('the path is too long'), { code: 'ENAMETOOLONG' });
}

/** Whether a path can begin at an open directory: on Linux, wherever /proc is to be seen. */
const hasDescriptorPaths = process.platform === 'linux' && existsSync(DESCRIPTORS);

/** The folder that a task changes, whatever others do to it meanwhile. */
export class SafeFolder {
  /**
   * @param root absolute; what it is itself, even a symlink, was the choice of whoever named it
   * @param opensTheWay whether each directory on the way is opened, rather than only looked at
   */
  constructor(
    private readonly root: string,
    private readonly opensTheWay = hasDescriptorPaths,
  ) {}

  /**
   * Has `work` act at a place, and returns what it returns. Raises {@link FolderChanged}, or ENOENT, ENOTDIR or ELOOP as the system
   * does, unless everything above the place is a directory: through a symlink one would get out of the folder. What the client
   * itself keeps in the folder is no place either. ENAMETOOLONG where the whole path is longer than the system allows.
   *
   * Every directory on the way is opened through the one before, so whoever puts a symlink in its place at this very moment
   * is too late. Where paths cannot begin at an open directory each is only looked at first.
   */
  at<Result>(place: Place, work: (spot: Spot) => Result): Result {
    if (isKeptByClient(place.diskPath)) throw new FolderChanged();
    const directory = dirname(join(this.root, place.diskPath));
    if (!this.opensTheWay) {
      this.#lookAlong(directory);
      return work(new Spot(join(this.root, place.diskPath), directory, place));
    }
    // What a path is too long for is nothing that anybody else could look at, or remove.
    if (Buffer.byteLength(join(directory, basename(place.diskPath))) >= PATH_BYTES) throw tooLong();
    const descriptor = this.#openAlong(dirname(place.diskPath));
    try {
      return work(new Spot(`${DESCRIPTORS}/${descriptor}/${basename(place.diskPath)}`, directory, place));
    } finally {
      closeSync(descriptor);
    }
  }

  /** What stands at a place now. */
  standing(place: Place): Standing {
    return this.at(place, (spot) => spot.standing());
  }

  #openAlong(diskDirectory: string): number {
    let descriptor = openSync(this.root, PASSED_THROUGH);
    for (const name of diskDirectory === '.' ? [] : diskDirectory.split('/')) {
      try {
        const below = openSync(`${DESCRIPTORS}/${descriptor}/${name}`, PASSED_THROUGH | constants.O_NOFOLLOW);
        closeSync(descriptor);
        descriptor = below;
      } catch (thrown) {
        closeSync(descriptor);
        throw thrown;
      }
    }
    return descriptor;
  }

  #lookAlong(absolute: string): void {
    if (absolute === this.root) return;
    this.#lookAlong(dirname(absolute));
    if (lstatSync(absolute, { throwIfNoEntry: false })?.isDirectory() !== true) throw new FolderChanged();
  }
}

/** A place in the folder, for as long as something is done there. */
class Spot {
  constructor(
    /** Leads to the place and nowhere else; to be used at once. */
    readonly path: string,
    /** Absolute: where the place lies, to be synced later. */
    readonly directory: string,
    private readonly place: Place,
  ) {}

  /** What stands there now. */
  standing(): Standing {
    return standingAt(this.path, this.place);
  }

  /** Raises {@link FolderChanged} unless what stands there is what is expected. */
  expect(expected: Standing): void {
    if (!isAs(this.standing(), expected)) throw new FolderChanged();
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
