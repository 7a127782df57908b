import type { Clock } from '../../common/clock.js';
import { diskReader } from './folder-reader.js';
import type { ChangeHint } from './pending-changes.js';
import { TreeScanner } from './scan-tree.js';
import { TreeWatch } from './watch-tree.js';

/** Says where a folder may have changed. */
export interface FolderWatch {
  /** The next hint, once the changes have settled. Raises CANCELLED when `signal` aborts. One call at a time. */
  next(signal: AbortSignal): Promise<ChangeHint>;
  close(): Promise<void>;
}

/** How a sync sees its folder. */
export interface FolderSight {
  readonly scanner: TreeScanner;
  /**
   * Watches from now on: a change after this has resolved is hinted at.
   *
   * @param report takes a sentence for people when changes can no longer be noticed at once, and when they can again
   */
  startWatch(report: (message: string) => void): Promise<FolderWatch>;
}

/**
 * The sight of a folder on this machine's disk.
 *
 * @param root absolute
 * @param kept directories in it, absolute, without which the client cannot go on
 */
export function diskSight(root: string, clock: Clock, kept: readonly string[] = []): FolderSight {
  return {
    scanner: new TreeScanner(root, clock, diskReader, kept),
    startWatch: (report) => TreeWatch.start({ root, clock, report }),
  };
}
