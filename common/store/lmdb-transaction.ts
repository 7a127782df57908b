import { constants } from 'node:os';
import type { RootDatabase } from 'lmdb';
import { systemClock, type Clock } from '../clock.js';
import { DrystoneError } from '../errors.js';
import { freeRoom } from '../files/free-room.js';
import { dataLimits, retryLimits } from '../limits.js';

const { ENOSPC, EDQUOT, EIO } = constants.errno;

/** A store to which something is written. */
export interface WrittenStore {
  /** As errors call it: "the metadata store". */
  readonly what: string;
  /** Its directory, where it is to be looked at how much room there is. */
  readonly path?: string;
}

/** Where a store stands; the machine's own unless a test gives it another. */
interface Surroundings {
  /** How much room there is at a path. */
  readonly freeBytes?: (path: string) => Promise<number>;
  readonly clock?: Pick<Clock, 'sleep'>;
}

/**
 * Runs `work`, which must not wait, as one transaction: it sees its own writes, and those of all transactions before; if it
 * throws nothing of it remains, and what it threw is raised. Where the medium fails it raises what {@link storeFailure} says.
 *
 * `root` must have been opened with `eventTurnBatching: false`: otherwise a commit that fails also rejects a promise that
 * nobody waits for, which ends the process.
 */
export async function inTransaction<T>(
  root: Pick<RootDatabase, 'childTransaction'>,
  store: WrittenStore,
  work: () => T,
): Promise<T> {
  let raised: { readonly error: unknown } | undefined;
  try {
    return await root.childTransaction(() => {
      try {
        return work();
      } catch (error) {
        raised = { error };
        throw error;
      }
    });
  } catch (thrown) {
    // What the work raised is the caller's affair; anything else is the medium's.
    throw raised === undefined ? await storeFailure(store, thrown) : raised.error;
  }
}

/**
 * What a commit of a store failed with: RESOURCE_EXHAUSTED (DISK_FULL), with a delay, where there was no room for it; otherwise
 * INTERNAL (STORE_FAILED).
 */
export async function storeFailure(
  { what, path }: WrittenStore,
  thrown: unknown,
  { freeBytes = freeRoom, clock = systemClock }: Surroundings = {},
): Promise<DrystoneError> {
  const cause = await causeOf(thrown, clock);
  const { code } = (cause ?? {}) as { readonly code?: unknown };
  // LMDB speaks of an I/O error where there was room for a part of what it wrote.
  const isUnsure = code === EIO || cause === undefined;
  const mayBeFull = isUnsure && path !== undefined && (await freeBytes(path)) < dataLimits.fullBelowBytes;
  if (code === ENOSPC || code === EDQUOT || mayBeFull) {
    const message = `${what} could not write: its disk is full; make room there`;
    const details = { retryAfterMs: retryLimits.diskFullMs };
    return new DrystoneError('RESOURCE_EXHAUSTED', 'DISK_FULL', message, details, { cause });
  }
  const known = cause ?? thrown;
  const why = known instanceof Error ? known.message : String(known);
  const message = `${what} could not write: ${why}; check the disk's health and free space`;
  return new DrystoneError('INTERNAL', 'STORE_FAILED', message, {}, { cause: known });
}

/**
 * Why it failed: for a commit, what the promise that its error carries rejects with. It does so some milliseconds later where
 * another write came upon the failure before the thread that writes said why; undefined where it never does.
 */
async function causeOf(thrown: unknown, clock: Pick<Clock, 'sleep'>): Promise<unknown> {
  if (!(thrown instanceof Error) || !('commitError' in thrown)) return thrown;
  const patience = new AbortController();
  try {
    await Promise.race([thrown.commitError, clock.sleep(dataLimits.commitErrorMs, patience.signal)]);
    return undefined;
  } catch (cause) {
    return cause;
  } finally {
    patience.abort();
  }
}
