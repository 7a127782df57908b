import type { ItemPath } from '../../common/feed/item.js';

/**
 * What tells, without reading a file, that it is still the one that was read: if size, modification, status change and
 * inode are all as they were, the content is taken to be as it was. Nanoseconds since 1970 UTC.
 */
export interface FileStamp {
  readonly sizeBytes: number;
  readonly modifiedAtNs: bigint;
  readonly changedAtNs: bigint;
  readonly inode: bigint;
}

/** One entry of the folder as a scan saw it; the content of files has not been read. */
export type Observation = ObservedFile | ObservedDirectory | ObservedSymlink;

export interface ObservedFile {
  readonly kind: 'file';
  readonly path: ItemPath;
  readonly stamp: FileStamp;
  /** Whole milliseconds, as items carry them. */
  readonly modifiedAtMs: number;
  readonly executable: boolean;
}

export interface ObservedDirectory {
  readonly kind: 'directory';
  readonly path: ItemPath;
}

export interface ObservedSymlink {
  readonly kind: 'symlink';
  readonly path: ItemPath;
  readonly target: string;
}

/** An entry that cannot be synced, and why, for people. */
export interface ScanProblem {
  /** The name as found, relative to the root; not necessarily a valid item path. */
  readonly name: string;
  readonly problem: string;
}

/** The folder as one scan saw it. */
export interface ScanResult {
  readonly observations: ReadonlyMap<ItemPath, Observation>;
  readonly problems: readonly ScanProblem[];
}
