import { isUtf8 } from 'node:buffer';
import { wireLimits, clientLimits } from '../../common/limits.js';
import { nameEntries, type NamedEntry } from './disk-names.js';
import type { FolderReader, FoundEntry, FoundStats } from './folder-reader.js';
import { IGNORE_FILE_NAME, STATE_DIRECTORY, type DirectoryPath, type RuleSet } from './ignore-rules.js';
import { sameStamp, stampOf } from './stable-file.js';
import type { ItemPath } from '../../common/feed/item.js';
import type { FileStamp, Observation, ObservedFile, ScanProblem } from './observation.js';

/** The folder that is scanned. */
export interface ScannedFolder {
  /** Absolute. */
  readonly root: string;
  readonly reader: FolderReader;
}

/** A directory to be scanned. */
export interface DirectoryToScan {
  readonly path: DirectoryPath;
  /** Relative to the root, as the disk spells it. */
  readonly diskPath: string;
  /** Of the directories above. */
  readonly rulesAbove: RuleSet;
}

/** An entry of a directory, as far as it can be synced. */
export interface ScannedEntry {
  readonly diskName: string;
  readonly observation: Observation;
}

/** What one directory holds, directories below it not looked into. */
export interface DirectoryScan extends DirectoryToScan {
  /** In order of their paths. */
  readonly entries: ReadonlyMap<string, ScannedEntry>;
  readonly unseen: readonly ItemPath[];
  readonly problems: readonly ScanProblem[];
  /** For the entries: `rulesAbove`, and those of the directory's own ignore file. */
  readonly rules: RuleSet;
  /** Of the directory's own ignore file. */
  readonly ignoreFileStamp: FileStamp | undefined;
}

/** What is left of an earlier scan of the same directory. */
export interface EarlierScan {
  readonly scan: DirectoryScan;
  /** Names of which it is not known any more that they are as they were. */
  readonly changedNames: ReadonlySet<string>;
}

/** Raised of a directory that has the private mark: a folder that is synced by itself, or one of Drystone's own. */
class LeftToItself extends Error {
  constructor() {
    super(
      `it has a ${STATE_DIRECTORY} of its own: it is synced by itself, or holds keys and data of Drystone; ` +
        `to sync what was synced by itself with this folder, remove its ${STATE_DIRECTORY}`,
    );
  }
}

/** Why a directory was not scanned, for people, from what {@link scanDirectory} raised. */
export function scanProblem(raised: unknown): string {
  const { message } = raised as Error;
  return raised instanceof LeftToItself ? message : `it cannot be looked into: ${message}`;
}

/** Entries between two steps: some milliseconds. */
const ENTRIES_PER_STEP = 256;

/**
 * Looks at one directory, in steps between which others may run. What an earlier scan says about a name that is still
 * there and not in doubt is taken over, unless the ignore file has changed. Raises what the file system raises when the
 * directory cannot be listed, and where its ignore file cannot be read; and {@link LeftToItself}.
 */
export function* scanDirectory(
  { root, reader }: ScannedFolder,
  directory: DirectoryToScan,
  earlier: EarlierScan | undefined,
): Generator<undefined, DirectoryScan> {
  const absolute = directory.diskPath === '' ? root : `${root}/${directory.diskPath}`;
  const listed = reader.list(absolute);
  const found = listed.filter(({ name }) => name !== STATE_DIRECTORY);
  if (directory.path !== '' && found.length < listed.length) throw new LeftToItself();
  const ignoring = readRules(reader, absolute, directory, found, earlier?.scan);
  const usable = earlier?.scan.rules === ignoring.rules ? earlier : undefined;
  const { named, problems } = nameEntries(absolute, directory.path, found);

  const entries = new Map<string, ScannedEntry>();
  const unseen: ItemPath[] = [];
  const allProblems = [...problems];
  for (const [index, entry] of named.entries()) {
    if (index % ENTRIES_PER_STEP === ENTRIES_PER_STEP - 1) yield;
    const sight = knownSight(entry, usable) ?? look(reader, absolute, entry, ignoring.rules);
    if (sight === undefined) continue;
    if ('observation' in sight) {
      entries.set(entry.diskName, sight);
    } else {
      unseen.push(entry.path);
      allProblems.push({ name: entry.path, problem: sight.problem });
    }
  }
  return { ...directory, ...ignoring, entries, unseen, problems: allProblems };
}

/** The rules for a directory's entries: the very same object as before where nothing has changed. */
function readRules(
  reader: FolderReader,
  absolute: string,
  directory: DirectoryToScan,
  found: readonly FoundEntry[],
  earlier: DirectoryScan | undefined,
): Pick<DirectoryScan, 'rules' | 'ignoreFileStamp'> {
  const file = `${absolute}/${IGNORE_FILE_NAME}`;
  const present = found.some((entry) => entry.name === IGNORE_FILE_NAME && entry.isFile());
  const stats = present ? reader.look(file) : undefined;
  if (stats === undefined) return { rules: directory.rulesAbove, ignoreFileStamp: undefined };

  const ignoreFileStamp = stampOf(stats);
  const before = earlier?.rulesAbove === directory.rulesAbove ? earlier.ignoreFileStamp : undefined;
  if (earlier !== undefined && before !== undefined && sameStamp(before, ignoreFileStamp)) {
    return { rules: earlier.rules, ignoreFileStamp };
  }
  if (ignoreFileStamp.sizeBytes > clientLimits.ignoreFileBytes) {
    throw new Error(`its ${IGNORE_FILE_NAME} is larger than ${clientLimits.ignoreFileBytes} bytes`);
  }
  return { rules: directory.rulesAbove.extendedBy(directory.path, reader.text(file)), ignoreFileStamp };
}

/** What a look at an entry shows; undefined for one that is ignored or has just gone. */
type Sight = ScannedEntry | { readonly problem: string } | undefined;

function knownSight({ diskName, entry }: NamedEntry, earlier: EarlierScan | undefined): Sight {
  if (earlier?.changedNames.has(diskName) !== false) return undefined;
  const known = earlier.scan.entries.get(diskName);
  return known?.observation.kind === kindOf(entry) ? known : undefined;
}

function kindOf(entry: FoundEntry): Observation['kind'] | undefined {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  if (entry.isSymbolicLink()) return 'symlink';
  return undefined;
}

function look(
  reader: FolderReader,
  absoluteDirectory: string,
  { path, diskName, entry }: NamedEntry,
  rules: RuleSet,
): Sight {
  const kind = kindOf(entry);
  if (rules.ignores(path, kind ?? 'file')) return undefined;
  const absolute = `${absoluteDirectory}/${diskName}`;
  try {
    switch (kind) {
      case 'file': {
        const stats = reader.look(absolute);
        return stats?.isFile() === true ? { diskName, observation: fileOf(path, stats) } : undefined;
      }
      case 'directory':
        return { diskName, observation: { kind, path } };
      case 'symlink':
        return symlinkOf(path, diskName, reader.target(absolute));
      case undefined:
        return { problem: `it is a ${specialKind(entry)}, which cannot be synced` };
    }
  } catch (error) {
    return hasGone(error) ? undefined : { problem: `it cannot be read: ${(error as Error).message}` };
  }
}

/** Whether an error of the file system says that the thing is not there, or is something else by now. */
export function hasGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EINVAL';
}

function fileOf(path: ItemPath, stats: FoundStats): ObservedFile {
  return {
    kind: 'file',
    path,
    stamp: stampOf(stats),
    modifiedAtMs: Number(stats.mtimeMs),
    executable: (stats.mode & 0o100n) !== 0n,
  };
}

function symlinkOf(path: ItemPath, diskName: string, target: Buffer): Sight {
  if (!isUtf8(target)) return { problem: 'it is a symlink to a name that is not valid UTF-8' };
  if (target.length > wireLimits.symlinkTargetBytes) {
    return { problem: `it is a symlink to a path of more than ${wireLimits.symlinkTargetBytes} bytes` };
  }
  return { diskName, observation: { kind: 'symlink', path, target: target.toString() } };
}

function specialKind(entry: FoundEntry): string {
  if (entry.isSocket()) return 'socket';
  if (entry.isFIFO()) return 'named pipe';
  if (entry.isBlockDevice() || entry.isCharacterDevice()) return 'device';
  return 'special file';
}
