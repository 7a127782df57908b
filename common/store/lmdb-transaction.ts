import type { RootDatabase } from 'lmdb';
import type { Medium } from './medium.js';

/**
 * Runs `work`, which must not wait, as one transaction: it sees its own writes, and those of all transactions before; if it
 * throws nothing of it remains, and what it threw is raised. Where the medium fails it raises what {@link Medium.failure} says.
 *
 * `root` must have been opened with `eventTurnBatching: false`: otherwise a commit that fails also rejects a promise that
 * nobody waits for, which ends the process.
 */
export async function inTransaction<T>(
  root: Pick<RootDatabase, 'childTransaction'>,
  medium: Medium,
  work: () => T,
): Promise<T> {
  if (medium.wasFull) await medium.requireRoom();
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
    throw raised === undefined ? await medium.failure(thrown) : raised.error;
  }
}
