import { DrystoneError } from '../../common/errors.js';

/**
 * Resolves when a store whose disk was full may try again, after `attempt` attempts of one change; rejects where it is not to,
 * and the change fails with that.
 */
export type UntilRoom = (full: DrystoneError, attempt: number) => Promise<void>;

/** Makes a change again, each time after `untilRoom`, for as long as it fails because the disk is full (DISK_FULL). */
export async function whileFull<T>(untilRoom: UntilRoom, change: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await change();
    } catch (thrown) {
      if (!(thrown instanceof DrystoneError) || thrown.reason !== 'DISK_FULL') throw thrown;
      await untilRoom(thrown, attempt);
    }
  }
}
