import type { FileHandle } from 'node:fs/promises';
import { clientLimits } from '../../../common/limits.js';

/**
 * Has the disk take what a file has got while more of it comes, so that the sync before the rename has little left to
 * wait for. That later sync is the one that counts: this one promises nothing, but it tells of writes that failed, since
 * the system may tell of them only once.
 */
export class EarlySync {
  #unsyncedBytes = 0;
  #underWay: Promise<void> | undefined;
  #failure: { readonly thrown: unknown } | undefined;

  constructor(private readonly handle: Pick<FileHandle, 'datasync'>) {}

  /** So many more bytes have been written, through whatever descriptor. */
  wrote(sizeBytes: number): void {
    this.#unsyncedBytes += sizeBytes;
    this.#start();
  }

  /** Resolves when the handle is no longer used; raises what a sync failed with. */
  async finish(): Promise<void> {
    this.#unsyncedBytes = 0;
    await this.#underWay;
    if (this.#failure !== undefined) throw this.#failure.thrown;
  }

  #start(): void {
    if (this.#underWay !== undefined || this.#unsyncedBytes < clientLimits.earlySyncBytes) return;
    this.#unsyncedBytes = 0;
    this.#underWay = this.handle
      .datasync()
      .catch((thrown: unknown) => {
        this.#failure ??= { thrown };
      })
      .then(() => {
        this.#underWay = undefined;
        this.#start();
      });
  }
}
