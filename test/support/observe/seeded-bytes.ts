/**
 * `length` bytes that look random and are the same for the same seed, on every machine: xorshift32 (Marsaglia, 2003),
 * the four bytes of each state in little-endian order.
 */
export function seededBytes(seed: number, length: number): Buffer {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed >>> 0 || 1;
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return Buffer.from(words.buffer, 0, length);
}
