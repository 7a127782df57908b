import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DrystoneError, type ErrorDetails, type ErrorReason } from '../errors.js';
import { writeFileDurably } from '../files/durable-file.js';
import { takeExclusiveLock } from '../files/exclusive-lock.js';
import { freeRoom } from '../files/free-room.js';
import { makeDirectory } from '../files/make-directory.js';
import { dataLimits } from '../limits.js';

export interface DataDirectoryOptions {
  readonly path: string;
  /** What keeps its data there: `metadata`, `agent`, `client`. Another program's directory is refused. */
  readonly program: string;
  /** The newest format that this program reads and writes. */
  readonly formatVersion: number;
  /** The oldest that it still reads; 1 unless set. */
  readonly oldestFormatVersion?: number;
  /** What an operator may put there before the first start; nothing unless set. */
  readonly prepared?: readonly string[];
  /** Bytes that are free on the disk of a directory, unless a test brings its own. */
  readonly freeBytes?: (directory: string) => Promise<number>;
}

/** A directory that belongs to this process alone until it is released. */
export interface DataDirectory {
  readonly path: string;
  release(): Promise<void>;
}

/** Says whose the directory is, and in which format; written once. */
export const FORMAT_FILE = 'FORMAT';
const LOCK_FILE = 'lock';

/** What a first start that was cut short leaves behind, and what a freshly made file system has. */
function isOurs(name: string): boolean {
  return (
    name === 'lost+found' || name === `${FORMAT_FILE}.new` || name === LOCK_FILE || name.startsWith(`${LOCK_FILE}.`)
  );
}

/**
 * Opens, or makes, a directory for a program's data: 0700, locked, with a FORMAT file that says whose it is and in which
 * version. Raises FAILED_PRECONDITION: DIRECTORY_UNUSABLE where none can be made, DATA_DIRECTORY_BUSY where another process
 * has it (in `facts`: its `processId`), DATA_FORMAT_NEWER where a newer release wrote it, DATA_FORMAT_OLDER where it is from
 * before the first release that this one can read, DATA_FORMAT_UNKNOWN where it is something else. RESOURCE_EXHAUSTED:
 * DISK_FULL where its disk is full, or has less than `dataLimits.newDirectoryBytes` for a new one.
 * Refusing changes nothing.
 */
export async function openDataDirectory(options: DataDirectoryOptions): Promise<DataDirectory> {
  const { path } = options;
  await makeDirectory(path, 0o700);
  if ((await checkOwner(options)) === 'new') await checkRoom(options);
  const lock = await takeExclusiveLock(join(path, LOCK_FILE));
  if ('heldBy' in lock) {
    const processId = String(lock.heldBy);
    const message = `${path} is in use by process ${processId}; stop it, or choose another directory`;
    throw refusal('DATA_DIRECTORY_BUSY', message, { facts: { processId } });
  }
  try {
    if ((await checkOwner(options)) === 'new') await writeFileDurably(join(path, FORMAT_FILE), formatLine(options));
  } catch (thrown) {
    await lock.release();
    throw thrown;
  }
  return { path, release: () => lock.release() };
}

async function checkRoom({ path, freeBytes = freeRoom }: DataDirectoryOptions): Promise<void> {
  const { newDirectoryBytes } = dataLimits;
  const free = await freeBytes(path);
  if (free >= newDirectoryBytes) return;
  const message = `${path} needs ${newDirectoryBytes} bytes to begin with, and its disk has ${free}; make room, and try again`;
  throw new DrystoneError('RESOURCE_EXHAUSTED', 'DISK_FULL', message);
}

function formatLine({ program, formatVersion }: DataDirectoryOptions): string {
  return `drystone ${program} ${formatVersion}\n`;
}

/** Whether the directory is this program's already, or has nothing in it but what may be there before it is anybody's. */
async function checkOwner(options: DataDirectoryOptions): Promise<'ours' | 'new'> {
  const { path, program, formatVersion, oldestFormatVersion = 1, prepared = [] } = options;
  let text: string;
  try {
    text = await readFile(join(path, FORMAT_FILE), 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
    const foreign = (await readdir(path)).find((name) => !isOurs(name) && !prepared.includes(name));
    if (foreign === undefined) return 'new';
    const message = `${path} is not empty (it has ${JSON.stringify(foreign)}) and holds no drystone data`;
    throw refusal('DATA_FORMAT_UNKNOWN', `${message}; choose another directory`);
  }
  const match = /^drystone ([a-z]+) (\d+)\n$/.exec(text);
  if (match?.[1] !== program) {
    throw refusal(
      'DATA_FORMAT_UNKNOWN',
      `${path} does not hold the data of a drystone ${program}; choose another directory`,
    );
  }
  if (Number(match[2]) > formatVersion) {
    throw refusal(
      'DATA_FORMAT_NEWER',
      `${path} was written in format ${match[2]}, this release reads up to ${formatVersion}; install a newer release`,
    );
  }
  if (Number(match[2]) < oldestFormatVersion) {
    throw refusal(
      'DATA_FORMAT_OLDER',
      `${path} was written in format ${match[2]} by a pre-release; start with a new directory`,
    );
  }
  return 'ours';
}

function refusal(
  reason: Extract<ErrorReason, `DATA_${string}`>,
  message: string,
  details: ErrorDetails = {},
): DrystoneError {
  return new DrystoneError('FAILED_PRECONDITION', reason, message, details);
}
