import { lstatSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const INTERVAL_MS = 2;

/** Looks at a file over and over while something else happens. */
export interface Lookout {
  /** Every size that the file was seen with, 0 included, in order, without repetitions. */
  readonly sizes: readonly number[];
  stop(): Promise<void>;
}

/** Watches for `path` to show up and change in size; a file that is written in place shows with sizes on the way. */
export function watchSizes(path: string): Lookout {
  const sizes: number[] = [];
  let watching = true;
  const look = async (): Promise<void> => {
    while (watching) {
      const size = lstatSync(path, { throwIfNoEntry: false })?.size;
      if (size !== undefined && sizes.at(-1) !== size) sizes.push(size);
      await sleep(INTERVAL_MS);
    }
  };
  const looking = look();
  return {
    sizes,
    async stop() {
      watching = false;
      await looking;
    },
  };
}
