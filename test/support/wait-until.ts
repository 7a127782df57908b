import { setTimeout as sleep } from 'node:timers/promises';

/** How long a wait may last before the test has failed: far beyond what any of them needs on a busy machine. */
const PATIENCE_MS = 60_000;
const INTERVAL_MS = 25;
/** A probe that takes long, as one that reads two folders, is not made so often that it keeps the machine from what it waits for. */
const PAUSE_PER_PROBE = 4;

/**
 * Polls until `probe` returns something other than undefined or false, and returns it. Fails with `what` and the last
 * error after a minute. The time only bounds a failing test; no test passes or fails by how fast it was.
 */
export async function waitUntil<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  patienceMs = PATIENCE_MS,
  intervalMs = INTERVAL_MS,
): Promise<T> {
  const deadline = performance.now() + patienceMs;
  let lastError: unknown;
  for (let began = performance.now(); began < deadline; began = performance.now()) {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
      lastError = undefined;
    } catch (thrown) {
      lastError = thrown;
    }
    await sleep(Math.max(intervalMs, PAUSE_PER_PROBE * (performance.now() - began)));
  }
  throw new Error(`waited ${patienceMs} ms in vain until ${what}`, { cause: lastError });
}
