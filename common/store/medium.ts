import { constants } from 'node:os';
import { systemClock, type Clock } from '../clock.js';
import { DrystoneError } from '../errors.js';
import { freeRoom } from '../files/free-room.js';
import { dataLimits, retryLimits } from '../limits.js';

const { ENOSPC, EDQUOT, EIO } = constants.errno;

/** Where a medium stands: on this machine, unless a test says otherwise. */
export interface Surroundings {
  /** How much room there is at a path. */
  readonly freeBytes?: (path: string) => Promise<number>;
  readonly clock?: Pick<Clock, 'sleep'>;
}

/** What a store is written to: it says what writing failed with, and whether there is any sense in it. */
export class Medium {
  readonly #freeBytes: (path: string) => Promise<number>;
  readonly #clock: Pick<Clock, 'sleep'>;
  #wasFull = false;

  /** `what` is the store, as errors call it: "the metadata store". It lies in the directory at `path`. */
  constructor(
    readonly what: string,
    readonly path: string,
    { freeBytes = freeRoom, clock = systemClock }: Surroundings = {},
  ) {
    this.#freeBytes = freeBytes;
    this.#clock = clock;
  }

  /** Whether the last write found its disk full: then {@link requireRoom} comes before the next. */
  get wasFull(): boolean {
    return this.#wasFull;
  }

  /**
   * Raises RESOURCE_EXHAUSTED (DISK_FULL), with a delay, while a disk that was full has less than `dataLimits.fullBelowBytes`. What
   * would fail is not tried: lmdb says on standard error what it failed with, each time.
   */
  async requireRoom(): Promise<void> {
    if (await this.#hasNoRoom()) throw this.#full(undefined);
    this.#wasFull = false;
  }

  /**
   * What a commit failed with: RESOURCE_EXHAUSTED (DISK_FULL), with a delay, where there was no room for it; otherwise INTERNAL
   * (STORE_FAILED).
   */
  async failure(thrown: unknown): Promise<DrystoneError> {
    const cause = await causeOf(thrown, this.#clock);
    const { code } = (cause ?? {}) as { readonly code?: unknown };
    // LMDB speaks of an I/O error where there was room for a part of what it wrote.
    const isUnsure = code === EIO || cause === undefined;
    if (code === ENOSPC || code === EDQUOT || (isUnsure && (await this.#hasNoRoom()))) {
      this.#wasFull = true;
      return this.#full(cause);
    }
    const known = cause ?? thrown;
    const why = known instanceof Error ? known.message : String(known);
    const message = `${this.what} could not write: ${why}; check the disk's health and free space`;
    return new DrystoneError('INTERNAL', 'STORE_FAILED', message, {}, { cause: known });
  }

  async #hasNoRoom(): Promise<boolean> {
    return (await this.#freeBytes(this.path)) < dataLimits.fullBelowBytes;
  }

  #full(cause: unknown): DrystoneError {
    const message = `${this.what} could not write: its disk is full; make room there`;
    const details = { retryAfterMs: retryLimits.diskFullMs };
    return new DrystoneError('RESOURCE_EXHAUSTED', 'DISK_FULL', message, details, { cause });
  }
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
