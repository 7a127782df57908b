import { asBuffer } from '../block-hash.js';
import type { Cursor, DeviceId, ReplicaId } from '../ids.js';
import { compareTimes, TIME_START, type HybridTime } from './hybrid-time.js';

declare const pathBrand: unique symbol;
/** A path of a namespace that has passed the rules of common/feed/paths.ts. */
export type ItemPath = string & { readonly [pathBrand]: true };

/** One change of an item: a replica numbers its changes of a path from 1, and gives no number twice. */
export interface Change {
  readonly replicaId: ReplicaId;
  readonly counter: number;
}

/**
 * Which changes of an item are known: of each replica its last one, and with it all that it made before. Sorted by
 * replica, each at most once.
 */
export type Version = readonly Change[];

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

/** What one change made of an item. */
export interface ItemState {
  readonly change: Change;
  readonly at: HybridTime;
  /** The device that made the change. */
  readonly author: DeviceId;
  readonly content: ItemContent;
}

/**
 * One path of a namespace: file, directory, symlink or a deletion. Its own state is the one that stands; the rivals are
 * those that were made at the same time by others, in the order of common/feed/state-order.ts. Nobody has replaced any of
 * them knowingly. The version knows the change of each, and of no replica a later one.
 *
 * A deletion at {@link TIME_START} is void: no state is left, each has been replaced or put elsewhere. Its change is the
 * first of its version and its author nobody, for form's sake.
 */
export interface Item extends ItemState {
  readonly path: ItemPath;
  readonly version: Version;
  readonly rivals: readonly ItemState[];
}

/** An item and its place in a feed. */
export interface FeedEntry {
  readonly cursor: Cursor;
  readonly item: Item;
}

/** The blocklist of an empty file. */
export const NO_BLOCKS: Blocklist = { hashes: new Uint8Array(0), sizes: [] };

/** The author of what nobody has made. */
export const NOBODY = '0'.repeat(32) as DeviceId;

/** All states of an item, the one that stands first. */
export function statesOf(item: Item): readonly ItemState[] {
  if (item.rivals.length > 0) return [item, ...item.rivals];
  return isVoid(item) ? [] : [item];
}

/** Whether an item has no state at all. */
export function isVoid({ content, at }: ItemState): boolean {
  return content.kind === 'deletion' && compareTimes(at, TIME_START) === 0;
}

/**
 * Whether two contents are the same to a reader: kind, bytes, executable bit, link target. The modification time does
 * not count: two people who write the same bytes do not disagree.
 */
export function sameContent(a: ItemContent, b: ItemContent): boolean {
  switch (a.kind) {
    case 'file':
      return b.kind === 'file' && a.executable === b.executable && sameBytes(a, b);
    case 'symlink':
      return b.kind === 'symlink' && a.target === b.target;
    case 'directory':
    case 'deletion':
      return a.kind === b.kind;
  }
}

/** Whether two files have the same bytes, whatever their attributes. */
export function sameBytes(a: FileContent, b: FileContent): boolean {
  return a.sizeBytes === b.sizeBytes && asBuffer(a.blocks.hashes).equals(b.blocks.hashes);
}
