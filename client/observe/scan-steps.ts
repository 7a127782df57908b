import { RuleSet } from './ignore-rules.js';
import {
  hasGone,
  scanDirectory,
  scanProblem,
  type DirectoryScan,
  type DirectoryToScan,
  type ScannedFolder,
} from './scan-directory.js';

/** A directory that could not be looked into. */
export interface UnreadDirectory extends DirectoryToScan {
  /** Why, for people; undefined where it has just gone or become something else. */
  readonly problem: string | undefined;
}

/** Every directory of a folder, by disk path, each after the one that it lies in. */
export type ScannedDirectories = ReadonlyMap<string, DirectoryScan | UnreadDirectory>;

/** Names in doubt, by the disk path of the directory that they are in. */
export type Doubts = ReadonlyMap<string, ReadonlySet<string>>;

const ROOT: DirectoryToScan = { path: '', diskPath: '', rulesAbove: RuleSet.none };
const NO_NAMES: ReadonlySet<string> = new Set();

/**
 * Walks a folder, in steps between which others may run. Directories of `earlier` are taken over as they were, except
 * those that `doubts` names: they are listed again, and of their entries those in doubt looked at again, directories with
 * everything below. What is new there is looked at in full, and so is everything below a directory whose ignore rules
 * have changed. Raises what the file system raises when the root itself cannot be listed.
 */
export function* scanSteps(
  folder: ScannedFolder,
  earlier: ScannedDirectories,
  doubts: Doubts,
): Generator<undefined, ScannedDirectories> {
  const directories = new Map<string, DirectoryScan | UnreadDirectory>();
  const toScan = [{ directory: ROOT, inDoubt: false }];
  for (let next = toScan.pop(); next !== undefined; next = toScan.pop()) {
    const { directory, inDoubt } = next;
    const known = inDoubt ? undefined : knownScan(directory, earlier);
    const changedNames = doubts.get(directory.diskPath);
    const scan =
      known !== undefined && changedNames === undefined
        ? known
        : yield* tryScan(folder, directory, known, changedNames ?? NO_NAMES);
    directories.set(directory.diskPath, scan);
    yield;
    if (!('entries' in scan)) continue;
    for (const { diskName, below } of subdirectories(scan).reverse()) {
      toScan.push({ directory: below, inDoubt: inDoubt || changedNames?.has(diskName) === true });
    }
  }
  return directories;
}

/** The earlier scan of a directory, if the rules above it are still the same. */
function knownScan(directory: DirectoryToScan, earlier: ScannedDirectories): DirectoryScan | undefined {
  const known = earlier.get(directory.diskPath);
  return known !== undefined && 'entries' in known && known.rulesAbove === directory.rulesAbove ? known : undefined;
}

function* tryScan(
  folder: ScannedFolder,
  directory: DirectoryToScan,
  known: DirectoryScan | undefined,
  changedNames: ReadonlySet<string>,
): Generator<undefined, DirectoryScan | UnreadDirectory> {
  try {
    return yield* scanDirectory(folder, directory, known && { scan: known, changedNames });
  } catch (error) {
    if (directory.path === '') throw error;
    const problem = hasGone(error) ? undefined : scanProblem(error);
    return { ...directory, problem };
  }
}

function subdirectories(scan: DirectoryScan): { diskName: string; below: DirectoryToScan }[] {
  const found: { diskName: string; below: DirectoryToScan }[] = [];
  for (const { diskName, observation } of scan.entries.values()) {
    if (observation.kind !== 'directory') continue;
    const diskPath = scan.diskPath === '' ? diskName : `${scan.diskPath}/${diskName}`;
    found.push({ diskName, below: { path: observation.path, diskPath, rulesAbove: scan.rules } });
  }
  return found;
}
