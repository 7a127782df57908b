import { HASH_BYTES } from '../common/block-hash.js';

/** A run of the hashes asked for, whose blocks are read together and travel in one message. */
export interface Portion {
  /** Packed, sharing the request's memory. */
  readonly hashes: Uint8Array;
  /** What they come to, as far as they are held. */
  readonly bytes: number;
}

/**
 * Cuts what was asked for into portions, in order: as many blocks as fit into `batchBytes`, and at least one.
 *
 * @param sizes the size of each block, 0 where it is not held
 */
export function* planPortions(
  hashes: Uint8Array,
  sizes: readonly number[],
  batchBytes: number,
): Generator<Portion, void, undefined> {
  let start = 0;
  let bytes = 0;
  for (const [index, size] of sizes.entries()) {
    if (index > start && bytes + size > batchBytes) {
      yield { hashes: hashes.subarray(start * HASH_BYTES, index * HASH_BYTES), bytes };
      start = index;
      bytes = 0;
    }
    bytes += size;
  }
  if (start < sizes.length) yield { hashes: hashes.subarray(start * HASH_BYTES), bytes };
}
