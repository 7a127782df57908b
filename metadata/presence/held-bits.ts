import { hashCount, hashKeyAt, type HashKey } from '../../common/block-hash.js';

/**
 * Which of the hashes asked for are not among `missing`, both packed: one bit for each, in their order, the lowest bit of the
 * first byte first.
 */
export function heldBits(asked: Uint8Array, missing: Uint8Array): Uint8Array {
  const lacking = new Set<HashKey>();
  for (let index = 0; index < hashCount(missing); index++) lacking.add(hashKeyAt(missing, index));
  const count = hashCount(asked);
  const bits = new Uint8Array(Math.ceil(count / 8));
  for (let index = 0; index < count; index++) {
    if (lacking.has(hashKeyAt(asked, index))) continue;
    const byte = index >> 3;
    bits[byte] = (bits[byte] ?? 0) | (1 << (index & 7));
  }
  return bits;
}
