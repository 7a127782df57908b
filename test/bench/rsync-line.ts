import type { BenchLine } from './bench-line.js';
import { median, spread } from './statistics.js';

/** A line whose limit is a factor of what rsync took in the same run; without rsync it cannot be met. */
export function rsyncLine(
  what: string,
  seconds: { readonly own: readonly number[]; readonly rsync: readonly number[] },
  factor: number,
): BenchLine {
  const line = { what, measured: median(seconds.own), direction: 'at most', unit: 's' } as const;
  if (seconds.rsync.length === 0) {
    const notes = [`own ${spread(seconds.own)}; rsync is not installed, so there is nothing to compare with`];
    return { ...line, limit: 0, limitIs: `${factor} × rsync, which is not installed`, notes };
  }
  const notes = [`own ${spread(seconds.own)}, rsync ${spread(seconds.rsync)}`];
  return { ...line, limit: factor * median(seconds.rsync), limitIs: `${factor} × rsync daemon`, notes };
}
