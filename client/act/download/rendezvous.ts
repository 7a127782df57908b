/**
 * How strongly a block is drawn to an endpoint or agent, 0 to 2^32 - 1: the same number wherever it is worked out, and
 * spread evenly, over blocks as over those who are drawn. Of several, the one with the largest is the block's first.
 *
 * @param id 32 hexadecimal digits
 */
export function pull(hash: Uint8Array, id: string): number {
  const view = new DataView(hash.buffer, hash.byteOffset, hash.byteLength);
  const first = mixed(view.getUint32(0) ^ Number.parseInt(id.slice(0, 8), 16));
  return mixed(first ^ view.getUint32(4) ^ Number.parseInt(id.slice(8, 16), 16)) >>> 0;
}

/** The finalizer of MurmurHash3: every bit of the input reaches every bit of the output. */
function mixed(word: number): number {
  let value = word;
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}
