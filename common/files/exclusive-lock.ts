import { readFileSync } from 'node:fs';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { explainDiskFull } from './disk-full.js';

/** Held until released, or until this process is gone. */
export interface ExclusiveLock {
  release(): Promise<void>;
}

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Tells a process from a later one with the same pid; empty where the platform does not say. */
  readonly startedAt: string;
}

let candidateCount = 0;

/**
 * Takes the lock file at `path` for this process. Returns the pid of the live holder where there is one. The file of a
 * holder that is gone (crash, power cut) is taken over. Holders on other hosts are always taken for alive. Where it raises,
 * RESOURCE_EXHAUSTED (DISK_FULL) on a full disk, it leaves nothing.
 */
export async function takeExclusiveLock(path: string): Promise<ExclusiveLock | { readonly heldBy: number }> {
  const owner: Owner = { pid: process.pid, host: hostname(), startedAt: seenProcess(process.pid)?.startedAt ?? '' };
  const candidate = `${path}.${process.pid}-${candidateCount++}`;
  try {
    await writeFile(candidate, JSON.stringify(owner));
    for (;;) {
      try {
        // Linking is atomic and fails where the name exists: of two takers one wins.
        await link(candidate, path);
        return { release: () => rm(path, { force: true }) };
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
      }
      const heldBy = await exclusiveLockHolder(path);
      if (heldBy !== undefined) return { heldBy };
      await removeStale(path);
    }
  } catch (thrown) {
    throw explainDiskFull(path, thrown);
  } finally {
    await rm(candidate, { force: true });
  }
}

/** The pid of the live process that holds the lock file at `path`, or undefined where nobody does. Changes nothing. */
export async function exclusiveLockHolder(path: string): Promise<number | undefined> {
  const holder = await readOwner(path);
  return typeof holder === 'object' && isAlive(holder) ? holder.pid : undefined;
}

/**
 * Removes the lock file of a holder that is gone. Only one taker at a time may look and remove: of two that had both seen
 * the old file, the second would remove the lock that the first has put in its place.
 */
async function removeStale(path: string): Promise<void> {
  const takeover = await takeExclusiveLock(`${path}.takeover`);
  if ('heldBy' in takeover) return;
  try {
    const owner = await readOwner(path);
    if (owner === 'unreadable' || (typeof owner === 'object' && !isAlive(owner))) await rm(path, { force: true });
  } finally {
    await takeover.release();
  }
}

/** Unreadable is what a power cut left of a lock: its name was on disk before its bytes were. */
async function readOwner(path: string): Promise<Owner | 'unreadable' | 'missing'> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return 'missing';
    throw thrown;
  }
  try {
    return JSON.parse(text) as Owner;
  } catch {
    return 'unreadable';
  }
}

function isAlive(owner: Owner): boolean {
  if (owner.host !== hostname()) return true;
  try {
    process.kill(owner.pid, 0);
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
  const seen = seenProcess(owner.pid);
  if (seen === undefined) return true;
  return !seen.isOver && (owner.startedAt === '' || seen.startedAt === owner.startedAt);
}

/** What the platform says of a process; undefined where it says nothing. */
interface SeenProcess {
  /** Clock ticks from boot to its start. */
  readonly startedAt: string;
  /** It has ended, with all its threads, and only its parent has not asked how: it has its id, and no file open. */
  readonly isOver: boolean;
}

/** Reads fields 3, 20 and 22 of /proc/PID/stat, which come behind a name that may hold anything. */
function seenProcess(pid: number): SeenProcess | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, threads, startedAt] = [fields[0], fields[17], fields[19]];
    if (startedAt === undefined) return undefined;
    return { startedAt, isOver: (state === 'Z' || state === 'X') && Number(threads) <= 1 };
  } catch {
    return undefined;
  }
}
