import { readSync } from 'node:fs';
import { clientLimits } from '../../common/limits.js';
import { ShortRead } from './stable-file.js';
import type { FastCdc } from './fastcdc/fastcdc.js';

/** A file, seen through the memory of a chunker: as much of it as is being cut, read on as the cutting goes on. */
export class FileWindow {
  /** The window holds the file's bytes from here … */
  #fromBytes: number;
  /** … to here. */
  #toBytes: number;

  /** Looks at the file of `sizeBytes` that is open as `descriptor`, from `startBytes`. */
  constructor(
    private readonly chunker: FastCdc,
    private readonly descriptor: number,
    private readonly sizeBytes: number,
    startBytes: number,
  ) {
    this.#fromBytes = startBytes;
    this.#toBytes = startBytes;
  }

  /**
   * The size in bytes of the chunk that begins at `offsetBytes`. Nothing before it may be asked for afterwards. Raises
   * {@link ShortRead} where the file is shorter than it was said to be.
   */
  chunkSize(offsetBytes: number): number {
    this.#hold(Math.min(offsetBytes + this.chunker.parameters.maxBytes, this.sizeBytes), offsetBytes);
    return this.chunker.cut(
      offsetBytes - this.#fromBytes,
      this.#toBytes - this.#fromBytes,
      this.#toBytes < this.sizeBytes,
    );
  }

  /**
   * The bytes at a place: a view that holds until anything else is asked for. Nothing before `keepBytes` may be asked for
   * afterwards, and from there on all must fit into the chunker's memory. Raises as {@link chunkSize}.
   */
  bytes(offsetBytes: number, sizeBytes: number, keepBytes: number): Uint8Array {
    this.#hold(offsetBytes + sizeBytes, keepBytes);
    return this.view(offsetBytes, sizeBytes);
  }

  /** The bytes of a chunk whose size was just asked for: a view that holds until anything else is. */
  view(offsetBytes: number, sizeBytes: number): Uint8Array {
    const start = offsetBytes - this.#fromBytes;
    return this.chunker.data.subarray(start, start + sizeBytes);
  }

  /** Reads until `neededBytes` is there, moving what comes after `keepBytes` to the front where the window is at its end. */
  #hold(neededBytes: number, keepBytes: number): void {
    const { data } = this.chunker;
    if (neededBytes <= this.#toBytes) return;
    if (neededBytes - this.#fromBytes > data.length) {
      data.copyWithin(0, keepBytes - this.#fromBytes, this.#toBytes - this.#fromBytes);
      this.#fromBytes = keepBytes;
    }
    while (this.#toBytes < neededBytes) {
      const filled = this.#toBytes - this.#fromBytes;
      const wantedBytes = Math.max(neededBytes - this.#toBytes, clientLimits.cutReadBytes);
      const lengthBytes = Math.min(wantedBytes, data.length - filled);
      const readBytes = readSync(this.descriptor, data, filled, lengthBytes, this.#toBytes);
      if (readBytes === 0) throw new ShortRead();
      this.#toBytes += readBytes;
    }
  }
}
