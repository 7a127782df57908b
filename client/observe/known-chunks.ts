import { HASH_BYTES, hashCount } from '../../common/block-hash.js';
import type { Blocklist } from '../../common/feed/item.js';

/** Chunks that a file had when it was last cut: a run of them, in order, without gaps. Can be handed between threads. */
export interface KnownChunks {
  /** Where the first one began. */
  readonly startBytes: number;
  /** Packed. */
  readonly hashes: Uint8Array<ArrayBuffer>;
  readonly sizes: readonly number[];
  /** Whether the last one ended the file. */
  readonly isToEnd: boolean;
}

/** All chunks that a file had when it was last cut. */
export class KnownFile {
  /** Where each chunk began. */
  readonly #starts: readonly number[];
  readonly #sizeBytes: number;

  constructor(private readonly blocks: Blocklist) {
    let offsetBytes = 0;
    this.#starts = blocks.sizes.map((sizeBytes) => (offsetBytes += sizeBytes) - sizeBytes);
    this.#sizeBytes = offsetBytes;
  }

  /** Those that lay, with a byte at least, between two places of the file. */
  between(fromBytes: number, toBytes: number): KnownChunks {
    const { hashes, sizes } = this.blocks;
    const end = this.#countBefore(toBytes);
    const first = Math.min(Math.max(this.#countBefore(fromBytes + 1) - 1, 0), end);
    return {
      startBytes: this.#starts[first] ?? 0,
      hashes: new Uint8Array(hashes.subarray(first * HASH_BYTES, end * HASH_BYTES)),
      sizes: sizes.slice(first, end),
      isToEnd: end === hashCount(hashes) && toBytes >= this.#sizeBytes,
    };
  }

  /** Where the first chunk began that did so at `offsetBytes` or behind it; undefined where none did. */
  firstStartFrom(offsetBytes: number): number | undefined {
    return this.#starts[this.#countBefore(offsetBytes)];
  }

  /** How many chunks began before a place. */
  #countBefore(offsetBytes: number): number {
    let low = 0;
    for (let high = this.#starts.length; low < high;) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] ?? Infinity) < offsetBytes) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
