import type { Clock } from '../../../common/clock.js';
import { clientLimits } from '../../../common/limits.js';
import type { Disk, DiskRefusal } from '../disk/disk-task.js';

const MIB_BYTES = 1024 * 1024;

/** The room that one file was promised. */
export interface PromisedRoom {
  /** So many more of its bytes lie on the disk. */
  wrote(sizeBytes: number): void;
  /** Nothing more of it will be written. Idempotent. */
  end(): void;
}

/** Whether a file fits: the room for it, or why it is to wait. */
export type RoomAnswer = PromisedRoom | (DiskRefusal & { readonly outcome: 'postponed' });

/**
 * What a disk has room for, once all that is under way has arrived. Without it a file that does not fit would be fetched over
 * and over, until the disk is full each time. The disk is asked at most every `clientLimits.freeSpaceMaxAgeMs`; others that
 * write to it are noticed no sooner, and then the disk itself refuses.
 */
export class DiskRoom {
  /** What is left of the last reading when all has been written that was promised. */
  #roomBytes = 0;
  /** Promised, and not written. */
  #owedBytes = 0;
  #readAtMs = Number.NEGATIVE_INFINITY;

  /** @param directory absolute; on the disk that is asked about */
  constructor(
    private readonly disk: Pick<Disk, 'freeBytes'>,
    private readonly directory: string,
    private readonly clock: Clock,
  ) {}

  /**
   * Promises room for a file that takes `sizeBytes`, where there is enough. One call at a time.
   *
   * @param heldBytes what of it lies on the disk already; it is the first that is written again, or found to be right
   */
  async promise(sizeBytes: number, heldBytes = 0): Promise<RoomAnswer> {
    if (this.clock.monotonicMs() - this.#readAtMs >= clientLimits.freeSpaceMaxAgeMs) await this.#read();
    const neededBytes = Math.max(0, sizeBytes - heldBytes);
    // What is all there needs nothing, though nothing be left.
    if (neededBytes > 0 && neededBytes >= this.#roomBytes) return this.#refusal(neededBytes);
    this.#roomBytes -= neededBytes;
    this.#owedBytes += neededBytes;
    let skippedBytes = sizeBytes - neededBytes;
    let leftBytes = neededBytes;
    return {
      wrote: (writtenBytes) => {
        const skipped = Math.min(skippedBytes, writtenBytes);
        skippedBytes -= skipped;
        const written = Math.min(leftBytes, writtenBytes - skipped);
        leftBytes -= written;
        this.#owedBytes -= written;
      },
      end: () => {
        this.#owedBytes -= leftBytes;
        this.#roomBytes += leftBytes;
        leftBytes = 0;
      },
    };
  }

  async #read(): Promise<void> {
    // What is written while the disk is being asked may not be in its answer.
    const owedBytes = this.#owedBytes;
    this.#roomBytes = (await this.disk.freeBytes(this.directory)) - owedBytes;
    this.#readAtMs = this.clock.monotonicMs();
  }

  #refusal(neededBytes: number): RoomAnswer {
    // In whole MiB: what is free changes all the time, and people are told anew of whatever reads otherwise.
    const missingMiB = Math.ceil((neededBytes - this.#roomBytes + 1) / MIB_BYTES);
    const problem = `the disk has no room for the ${neededBytes} bytes that it needs; make room for ${missingMiB} MiB more`;
    return { outcome: 'postponed', problem };
  }
}
