import type { FileHandle } from 'node:fs/promises';
import { clientLimits } from '../../../common/limits.js';

/**
 * A file that is written in any order and sent on to the disk meanwhile: the disk has no reason to wait until the last
 * byte has arrived. That promises nothing; whoever gives the file its place syncs it first, and then has little to wait for.
 */
export class FlushedFile {
  #unflushedBytes = 0;
  #flush: Promise<void> | undefined;
  #failure: { readonly thrown: unknown } | undefined;

  constructor(
    private readonly handle: FileHandle,
    private readonly flushBytes: number = clientLimits.downloadFlushBytes,
  ) {}

  /** Writes `data` at `offsetBytes`. Raises what the file system raises. */
  async write(data: Uint8Array, offsetBytes: number): Promise<void> {
    for (let written = 0; written < data.length;) {
      written += (await this.handle.write(data, written, data.length - written, offsetBytes + written)).bytesWritten;
    }
    this.#unflushedBytes += data.length;
    if (this.#unflushedBytes >= this.flushBytes && this.#flush === undefined) this.#flush = this.#startFlush();
  }

  /** Resolves when no flush is under way. Raises why one has failed: of that the system tells once, and not the last sync. */
  async flushed(): Promise<void> {
    await this.#flush;
    if (this.#failure !== undefined) throw this.#failure.thrown;
  }

  async #startFlush(): Promise<void> {
    this.#unflushedBytes = 0;
    try {
      await this.handle.datasync();
    } catch (thrown) {
      this.#failure ??= { thrown };
    }
    this.#flush = undefined;
  }
}
