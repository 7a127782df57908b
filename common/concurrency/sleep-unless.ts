import type { Clock } from '../clock.js';

/** Resolves after `durationMs`, or as soon as `news` does; Infinity waits for `news` alone. */
export async function sleepUnless(news: Promise<void>, durationMs: number, clock: Clock): Promise<void> {
  if (durationMs === Infinity) return news;
  const waiting = new AbortController();
  const stop = (): void => waiting.abort();
  void news.then(stop);
  await clock.sleep(Math.max(0, durationMs), waiting.signal).catch(stop);
}
