import type { Cursor, DeviceId } from '../ids.js';

declare const pathBrand: unique symbol;
/** A path of a namespace that has passed the rules of common/feed/paths.ts. */
export type ItemPath = string & { readonly [pathBrand]: true };

/** How often each device has changed an item; sorted by device, each at most once, counters from 1. */
export type Version = readonly VersionEntry[];

export interface VersionEntry {
  readonly deviceId: DeviceId;
  readonly counter: number;
}

/** An ordered list of blocks. */
export interface Blocklist {
  /** Packed hashes, n × 32 bytes. */
  readonly hashes: Uint8Array;
  /** The n sizes in bytes. */
  readonly sizes: readonly number[];
}

/** What an item is, apart from its history. */
export type ItemContent = FileContent | DirectoryContent | SymlinkContent | DeletionContent;

export interface FileContent {
  readonly kind: 'file';
  /** The sum of the block sizes. */
  readonly sizeBytes: number;
  /** Whole milliseconds since 1970 UTC; may be negative. */
  readonly modifiedAtMs: number;
  readonly executable: boolean;
  readonly blocks: Blocklist;
}

export interface DirectoryContent {
  readonly kind: 'directory';
}

export interface SymlinkContent {
  readonly kind: 'symlink';
  /** As stored in the link, unresolved. */
  readonly target: string;
}

export interface DeletionContent {
  readonly kind: 'deletion';
}

/** One path of a namespace: file, directory, symlink or a deletion. */
export interface Item {
  readonly path: ItemPath;
  readonly version: Version;
  /** The device that made this change. */
  readonly author: DeviceId;
  readonly content: ItemContent;
}

/** An item and its place in a feed. */
export interface FeedEntry {
  readonly cursor: Cursor;
  readonly item: Item;
}

/** The blocklist of an empty file. */
export const NO_BLOCKS: Blocklist = { hashes: new Uint8Array(0), sizes: [] };

/**
 * Whether two contents are the same to a reader: kind, bytes, executable bit, link target. The modification time does
 * not count: two people who write the same bytes do not disagree.
 */
export function sameContent(a: ItemContent, b: ItemContent): boolean {
  switch (a.kind) {
    case 'file':
      return (
        b.kind === 'file' &&
        a.sizeBytes === b.sizeBytes &&
        a.executable === b.executable &&
        Buffer.compare(a.blocks.hashes, b.blocks.hashes) === 0
      );
    case 'symlink':
      return b.kind === 'symlink' && a.target === b.target;
    case 'directory':
    case 'deletion':
      return a.kind === b.kind;
  }
}
