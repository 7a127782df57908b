import { createCipheriv, createHash } from 'node:crypto';
import type { Random } from '../../common/random.js';

const POOL_BYTES = 4096;

/** The same chance for the same seed, on every machine: the key stream of AES-128-CTR. Its bytes do not compress. */
export function seededRandom(seed: number | string): Random {
  const key = createHash('sha256').update(`drystone test ${seed}`).digest().subarray(0, 16);
  const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  const bytes = (count: number): Buffer => cipher.update(Buffer.alloc(count));
  let pool: Buffer = Buffer.alloc(0);
  return {
    bytes,
    fraction() {
      if (pool.length < 4) pool = bytes(POOL_BYTES);
      const value = pool.readUInt32LE(0) / 2 ** 32;
      pool = pool.subarray(4);
      return value;
    },
  };
}

/** A whole number from 0 to `limit` - 1. */
export function numberBelow(limit: number, random: Random): number {
  return Math.floor(random.fraction() * limit);
}

/** One of `list`, which must not be empty. */
export function pick<T>(list: readonly T[], random: Random): T {
  return list[numberBelow(list.length, random)] as T;
}
