/** How a figure compares: more is better, or less is. */
export type Direction = 'at least' | 'at most';

/** One line of the table: what was measured, beside the limit that was found in the same run. */
export interface BenchLine {
  readonly what: string;
  readonly measured: number;
  readonly direction: Direction;
  readonly limit: number;
  readonly unit: string;
  /** Where the limit comes from: a fixed number, or so much of a baseline measured beside it. */
  readonly limitIs: string;
  /** Anything that helps to read the figures. */
  readonly notes?: readonly string[];
}

/** How every bench is run. */
export interface BenchOptions {
  /** How often each subject is measured; the median counts. */
  readonly runs: number;
  /** Bytes of the large file. */
  readonly largeBytes: number;
  /** A directory of this bench's own, on the disk that is measured; removed at the end. */
  readonly dir: string;
  /** Tells a person what is going on. */
  readonly progress: (message: string) => void;
}

/** Measures one or more lines. */
export interface Bench {
  readonly name: string;
  run(options: BenchOptions): Promise<BenchLine[]>;
}

/** Whether the figure is within its limit. */
export function isMet({ measured, direction, limit }: BenchLine): boolean {
  return direction === 'at least' ? measured >= limit : measured <= limit;
}

/** How far within its limit a figure is: above 1 is better than asked, whichever way it counts. */
export function ratioOf({ measured, direction, limit }: BenchLine): number {
  return direction === 'at least' ? measured / limit : limit / measured;
}
