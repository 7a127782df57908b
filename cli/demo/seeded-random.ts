import { createCipheriv, createHash } from 'node:crypto';
import type { Random } from '../../common/random.js';

/** The same chance for the same seed, on every machine: the key stream of AES-128-CTR. Its bytes do not compress. */
export function seededRandom(seed: string): Random {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16);
  const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  const bytes = (count: number): Buffer => cipher.update(Buffer.alloc(count));
  return { bytes, fraction: () => bytes(4).readUInt32LE() / 2 ** 32 };
}

/** A whole number from `smallest` to `largest`. */
export function wholeNumberBetween(smallest: number, largest: number, random: Random): number {
  return smallest + Math.floor(random.fraction() * (largest - smallest + 1));
}

/** One of `list`, which must not be empty. */
export function oneOf<T>(list: readonly T[], random: Random): T {
  return list[Math.floor(random.fraction() * list.length)] as T;
}
