import { DrystoneError } from '../../common/errors.js';
import { diskReader, type FolderReader } from './folder-reader.js';
import { FolderRules } from './ignore-rules.js';
import { inSlices } from './in-slices.js';
import { scanResultOf } from './scan-result.js';
import { scanSteps, type Doubts, type ScannedDirectories } from './scan-steps.js';
import type { Clock } from '../../common/clock.js';
import type { ScanResult } from './observation.js';

/** How often a scan looks again because directories go while it looks, before it leaves them to the next scan. */
const GONE_ATTEMPTS = 3;

/**
 * Looks at a folder, without reading files and without following symlinks. It remembers what it saw, so that after a
 * change only the part that changed is looked at again; an entry that has not changed is then the same object in both
 * results. One scan at a time.
 *
 * Every scan raises FAILED_PRECONDITION (FOLDER_UNREADABLE) where the root is not there any more, cannot be read, or is
 * another directory than at the first scan, before it or after it: an empty mount point must never look as if everything had
 * been deleted. So it does where one of `kept`, directories in the root in which the client keeps things, is not what it was:
 * nothing could be done any more. It raises CANCELLED when `signal` aborts. Either way what was remembered stays as it was.
 */
export class TreeScanner {
  #directories: ScannedDirectories = new Map();
  #rules = FolderRules.none;
  readonly #identities = new Map<string, string>();

  constructor(
    private readonly root: string,
    private readonly clock: Clock,
    private readonly reader: FolderReader = diskReader,
    private readonly kept: readonly string[] = [],
  ) {}

  /** The whole folder, nothing taken over from before. */
  scanAll(signal: AbortSignal): Promise<ScanResult> {
    return this.#scan(new Map(), [], signal);
  }

  /**
   * The folder as it was seen last, except at these paths, relative to the root as the disk spells them: they are looked
   * at again, directories with everything below, and so is the list of names beside them. Before anything has been
   * scanned, the whole folder.
   */
  scanPaths(diskPaths: Iterable<string>, signal: AbortSignal): Promise<ScanResult> {
    return this.#scan(this.#directories, diskPaths, signal);
  }

  async #scan(earlier: ScannedDirectories, diskPaths: Iterable<string>, signal: AbortSignal): Promise<ScanResult> {
    this.#directories = await this.#readingRoot(async () => {
      let directories = await this.#walk(earlier, diskPaths, signal);
      for (let attempt = 1; attempt < GONE_ATTEMPTS && goneIn(directories).length > 0; attempt++) {
        directories = await this.#walk(directories, goneIn(directories), signal);
      }
      return directories;
    });
    const result = scanResultOf(this.#directories, this.#rules);
    this.#rules = result.ignoreRules;
    return result;
  }

  #checkIdentities(): void {
    for (const directory of [this.root, ...this.kept]) {
      const identity = this.reader.identity(directory);
      const known = this.#identities.get(directory) ?? identity;
      if (identity !== known) throw new Error(`another directory is in the place of ${directory}`);
      this.#identities.set(directory, known);
    }
  }

  async #walk(
    earlier: ScannedDirectories,
    diskPaths: Iterable<string>,
    signal: AbortSignal,
  ): Promise<ScannedDirectories> {
    this.#checkIdentities();
    const directories = await inSlices(
      scanSteps({ root: this.root, reader: this.reader }, earlier, doubtsAbout(diskPaths, earlier)),
      this.clock,
      signal,
    );
    // What was looked at last may have been the empty place of a disk that went meanwhile.
    this.#checkIdentities();
    return directories;
  }

  async #readingRoot<Result>(read: () => Promise<Result>): Promise<Result> {
    try {
      return await read();
    } catch (error) {
      if (error instanceof DrystoneError) throw error;
      const { message } = error as Error;
      const advice = 'make it available again (is its disk mounted?) and start anew';
      const text = `the folder ${this.root} cannot be read: ${message}; ${advice}`;
      throw new DrystoneError('FAILED_PRECONDITION', 'FOLDER_UNREADABLE', text, {}, { cause: error });
    }
  }
}

/** Directories that went, or became something else, between the look at their names and the look into them. */
function goneIn(directories: ScannedDirectories): string[] {
  const gone = [...directories.values()].filter((scan) => !('entries' in scan) && scan.problem === undefined);
  return gone.map(({ diskPath }) => diskPath);
}

/** Where to look again: each path in the nearest directory above it that is known. */
function doubtsAbout(diskPaths: Iterable<string>, directories: ScannedDirectories): Doubts {
  const doubts = new Map<string, Set<string>>();
  const namesIn = (directory: string): Set<string> => {
    const names = doubts.get(directory) ?? new Set();
    doubts.set(directory, names);
    return names;
  };
  for (const diskPath of diskPaths) {
    let below = diskPath;
    while (below !== '') {
      const slash = below.lastIndexOf('/');
      const directory = below.slice(0, Math.max(slash, 0));
      if (directories.has(directory)) {
        namesIn(directory).add(below.slice(slash + 1));
        break;
      }
      below = directory;
    }
  }
  return doubts;
}
