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

/** An entry that cannot be synced, or that others may not be able to have, and why, for people. */
export interface ScanProblem {
  /** The name as found, relative to the root; not necessarily a valid item path. */
  readonly name: string;
  readonly problem: string;
  /** Set where it is synced all the same. */
  readonly isSynced?: true;
  /** Set where it is left because another entry has the same name in another Unicode form: the path that one stands for. */
  readonly twinOf?: ItemPath;
}

/** What `.drystoneignore` files keep out of the sync (client/observe/ignore-rules.ts). */
export interface IgnoreRules {
  /**
   * Whether the item is kept out, by a rule for itself or for a directory above it. Asked about paths of the namespace,
   * whether they are on this disk or not.
   */
  ignores(path: ItemPath, kind: Observation['kind']): boolean;
}

/** The folder as one scan saw it. */
export interface ScanResult {
  /** Everything that can be synced, parents before children, the names of one directory in order. */
  readonly observations: ReadonlyMap<ItemPath, Observation>;
  /**
   * Where something is that this scan could not look into or cannot sync: unreadable directories and entries, and what is
   * neither file, directory nor symlink. None of them is in `observations`, nor anything below. That says nothing about
   * what they hold: whatever is known at or below these paths must be left as it is, neither taken for deleted nor
   * written over.
   */
  readonly unseen: ReadonlySet<ItemPath>;
  /**
   * The rules of this scan. An ignored entry is not in `observations`, and that does not make it deleted: whatever is
   * known of an ignored path is left as it is, and not fetched either. The same object as in the scan before where no rule
   * has changed.
   */
  readonly ignoreRules: IgnoreRules;
  /**
   * How an item is called on this disk where that is not its path: names that are not in Unicode normalization form C.
   * `diskPathOf` (client/observe/disk-paths.ts) answers for every path, new ones included.
   */
  readonly diskPaths: ReadonlyMap<ItemPath, string>;
  /** For people. A problem does not mean that the entry is missing from `observations`: twins are reported and synced. */
  readonly problems: readonly ScanProblem[];
}
