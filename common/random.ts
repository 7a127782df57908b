import { randomBytes } from 'node:crypto';

/** Chance, handed in so that a test can seed it. */
export interface Random {
  /** `count` random bytes, fit for secrets and ids in production. */
  bytes(count: number): Buffer;
  /** At least 0 and below 1. */
  fraction(): number;
}

/** The machine's source of randomness. */
export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  fraction: () => Math.random(),
};

/** A copy of `list` in random order (Fisher and Yates). */
export function shuffled<T>(list: readonly T[], random: Random): T[] {
  const result = [...list];
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(random.fraction() * (last + 1));
    [result[last], result[other]] = [result[other] as T, result[last] as T];
  }
  return result;
}
