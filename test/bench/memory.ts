import { readFileSync } from 'node:fs';

const INTERVAL_MS = 20;

/**
 * Anonymous memory of a process now, in bytes: what it allocated itself. Pages of mapped files, LMDB's among them, are the
 * system's cache and do not count.
 */
export function anonymousBytes(pid: number): number {
  const line = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? 0) * 1024;
}

/** Samples the anonymous memory of processes. */
export interface MemoryWatch {
  /** The most that was seen, in bytes, by name. */
  readonly peaks: ReadonlyMap<string, number>;
  stop(): void;
}

/** Watches processes, by name, until it is stopped or they end. */
export function watchMemory(pids: Readonly<Record<string, number>>): MemoryWatch {
  const peaks = new Map<string, number>();
  const sample = (): void => {
    for (const [name, pid] of Object.entries(pids)) {
      try {
        peaks.set(name, Math.max(peaks.get(name) ?? 0, anonymousBytes(pid)));
      } catch {
        // It has ended; what was seen stands.
      }
    }
  };
  sample();
  const timer = setInterval(sample, INTERVAL_MS);
  return { peaks, stop: () => clearInterval(timer) };
}
