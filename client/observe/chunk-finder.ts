import { hashAt, hashBlockSync, hashCount, hashKey, hashKeyAt, type HashKey } from '../../common/block-hash.js';
import type { FastCdc } from './fastcdc/fastcdc.js';
import type { FileWindow } from './file-window.js';
import type { KnownChunks } from './known-chunks.js';

/** A chunk as it was found. */
export interface FoundChunk {
  readonly sizeBytes: number;
  readonly hash: Buffer;
  /** Whether it is one of those that were known. */
  readonly isKnown: boolean;
}

/**
 * Cuts a file chunk by chunk. After a chunk that was known it expects the one that came next, and compares hashes instead
 * of looking for the place to cut at: hashed it must be anyway. What is found is what cutting gives, which looks at the
 * chunk and the first byte of the next one; so a chunk is taken for granted only when the next is known as well, or both
 * files end with it.
 */
export class ChunkFinder {
  readonly #indexes = new Map<HashKey, number>();
  /** Where each known chunk began. */
  readonly #starts: readonly number[];
  #movedBytes: number | undefined;
  /** The known chunk that should come next, and whether its bytes have been seen there. */
  #expected: { readonly index: number; readonly isSeen: boolean } | undefined;

  constructor(
    private readonly chunker: FastCdc,
    private readonly window: FileWindow,
    private readonly fileBytes: number,
    private readonly known: KnownChunks,
  ) {
    let startBytes = known.startBytes;
    this.#starts = known.sizes.map((sizeBytes) => (startBytes += sizeBytes) - sizeBytes);
    // Of equal chunks the first: what comes after the last of a run is no good guess after the others.
    for (let index = hashCount(known.hashes) - 1; index >= 0; index--) {
      this.#indexes.set(hashKeyAt(known.hashes, index), index);
    }
  }

  /** How far behind its former place the last known chunk lies; undefined where none was found. */
  get movedBytes(): number | undefined {
    return this.#movedBytes;
  }

  /** The chunk that begins at `offsetBytes`, which is where the last one ended. */
  next(offsetBytes: number): FoundChunk {
    const expected = this.#expected;
    this.#expected = undefined;
    const isThere =
      expected?.isSeen === true || (expected !== undefined && this.#lies(expected.index, offsetBytes, offsetBytes));
    if (expected === undefined || !isThere) return this.#hashed(offsetBytes, this.window.chunkSize(offsetBytes));
    const { index } = expected;
    this.#found(index, offsetBytes);
    const sizeBytes = this.known.sizes[index] ?? 0;
    const chunk = { sizeBytes, hash: Buffer.from(hashAt(this.known.hashes, index)), isKnown: true };
    if (this.#endsBoth(index, offsetBytes + sizeBytes)) return chunk;
    if (this.#lies(index + 1, offsetBytes + sizeBytes, offsetBytes)) {
      this.#expected = { index: index + 1, isSeen: true };
      return chunk;
    }
    const cutBytes = this.window.chunkSize(offsetBytes);
    return cutBytes === sizeBytes ? chunk : this.#hashed(offsetBytes, cutBytes);
  }

  #hashed(offsetBytes: number, sizeBytes: number): FoundChunk {
    const hash = hashBlockSync(this.window.view(offsetBytes, sizeBytes));
    const index = this.#indexes.get(hashKey(hash));
    if (index !== undefined) {
      this.#found(index, offsetBytes);
      this.#expected = { index: index + 1, isSeen: false };
    }
    return { sizeBytes, hash, isKnown: index !== undefined };
  }

  #found(index: number, offsetBytes: number): void {
    this.#movedBytes = offsetBytes - (this.#starts[index] ?? 0);
  }

  /** Whether the known chunk lies at `offsetBytes`; what comes after `keepBytes` can be asked for afterwards. */
  #lies(index: number, offsetBytes: number, keepBytes: number): boolean {
    const sizeBytes = this.known.sizes[index];
    // What others have cut may be larger than what is cut here.
    if (sizeBytes === undefined || sizeBytes > this.chunker.parameters.maxBytes) return false;
    const endBytes = offsetBytes + sizeBytes;
    if (endBytes > this.fileBytes || endBytes - keepBytes > this.chunker.data.length) return false;
    const bytes = this.window.bytes(offsetBytes, sizeBytes, keepBytes);
    return hashBlockSync(bytes).equals(hashAt(this.known.hashes, index));
  }

  #endsBoth(index: number, endBytes: number): boolean {
    return endBytes === this.fileBytes && this.known.isToEnd && index === this.known.sizes.length - 1;
  }
}
