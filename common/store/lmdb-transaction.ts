import { constants } from 'node:os';
import type { RootDatabase } from 'lmdb';
import { DrystoneError } from '../errors.js';
import { retryLimits } from '../limits.js';

const { ENOSPC, EDQUOT } = constants.errno;

/**
 * Runs `work`, which must not wait, as one transaction: it sees its own writes, and those of all transactions before; if it
 * throws nothing of it remains, and what it threw is raised. Where the medium fails it raises what {@link storeFailure} says.
 *
 * `root` must have been opened with `eventTurnBatching: false`: otherwise a commit that fails also rejects a promise that
 * nobody waits for, which ends the process.
 */
export async function inTransaction<T>(
  root: Pick<RootDatabase, 'childTransaction'>,
  what: string,
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
    throw raised === undefined ? await storeFailure(what, thrown) : raised.error;
  }
}

/**
 * What a commit of the store that errors call `what` failed with: RESOURCE_EXHAUSTED (DISK_FULL), with a delay, where there was no
 * room for it; otherwise INTERNAL (STORE_FAILED).
 */
export async function storeFailure(what: string, thrown: unknown): Promise<DrystoneError> {
  const cause = await causeOf(thrown);
  const { code } = cause as { readonly code?: unknown };
  if (code === ENOSPC || code === EDQUOT) {
    const message = `${what} could not write: its disk is full; make room there`;
    const details = { retryAfterMs: retryLimits.diskFullMs };
    return new DrystoneError('RESOURCE_EXHAUSTED', 'DISK_FULL', message, details, { cause });
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `${what} could not write: ${why}; check the disk's health and free space`;
  return new DrystoneError('INTERNAL', 'STORE_FAILED', message, {}, { cause });
}

/** A failed commit carries its cause in a promise that rejects with it, at once or never. */
async function causeOf(thrown: unknown): Promise<unknown> {
  if (!(thrown instanceof Error) || !('commitError' in thrown)) return thrown;
  try {
    await Promise.race([thrown.commitError, new Promise((resolve) => setImmediate(resolve))]);
    return thrown;
  } catch (cause) {
    return cause;
  }
}
