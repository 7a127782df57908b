import { expect } from 'vitest';

/** Expects `probe` to come to what follows, however busy the machine is: the time only bounds a failing test. */
export function eventually<T>(probe: () => T | Promise<T>) {
  return expect.poll(probe, { timeout: 15_000, interval: 10 });
}
