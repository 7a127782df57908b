import { hashAt, hashCount, hashKey, packKeys, type HashKey } from '../../common/block-hash.js';
import { invalidArgument } from '../../common/errors.js';
import { encodeItem } from '../../common/feed/item-codec.js';
import { sameContent, type Item, type Version } from '../../common/feed/item.js';
import { compareVersions, joinVersions } from '../../common/feed/version.js';
import type { AgentId, Cursor } from '../../common/ids.js';
import { metadataLimits, wireLimits } from '../../common/limits.js';
import type { FeedHead } from '../store/rows.js';

/** Items to commit, and word of blocks stored: one transaction. */
export interface CommitBatch {
  /** Each path at most once. */
  readonly items: readonly NewItem[];
  /** From receipts that have been verified. */
  readonly stored: readonly StoredBlocks[];
}

export interface NewItem {
  readonly item: Item;
  /** Its protobuf encoding. */
  readonly encoded: Uint8Array;
}

/** Blocks that an agent holds for the namespace. */
export interface StoredBlocks {
  readonly agent: AgentId;
  /** Packed hashes. */
  readonly hashes: Uint8Array;
}

/** What is known of a path's current item without reading it. */
export interface ItemHead {
  readonly cursor: Cursor;
  readonly version: Version;
  /** Not a deletion. */
  readonly live: boolean;
  /** Of a file; 0 otherwise. */
  readonly sizeBytes: number;
}

/** A path's current item. */
export interface CurrentItem {
  readonly head: ItemHead;
  /** Set where {@link isContested}. */
  readonly content: NewItem | undefined;
}

/** The namespace as a commit finds it. */
export interface CommitState {
  readonly feed: FeedHead;
  /** For each item of the batch what its path holds; undefined for a new path. */
  readonly current: readonly (CurrentItem | undefined)[];
  /** Packed hashes, each once, of blocks of the items that no assigned agent holds. */
  readonly missing: Uint8Array;
}

/** One item's new state and the place that it takes. */
export interface ItemWrite {
  readonly cursor: Cursor;
  readonly item: Item;
  readonly encoded: Uint8Array;
  /** The entry that leaves the feed. */
  readonly supersedes: Cursor | undefined;
}

/** An item left out because somebody else changed it first. */
export interface Conflict {
  /** Its place in the batch. */
  readonly index: number;
  readonly cursor: Cursor;
  /** What the namespace holds. */
  readonly current: Item;
}

export interface CommitDecision {
  /** The feed after this commit. */
  readonly feed: FeedHead;
  /** Packed; where it is not empty nothing is written. */
  readonly missing: Uint8Array;
  /** In the order of the batch. */
  readonly conflicts: readonly Conflict[];
  /** With ascending cursors. */
  readonly writes: readonly ItemWrite[];
}

/** Whether a commit of `item` has to look at what its path holds: anything but a plain successor. */
export function isContested(item: Item, held: Version): boolean {
  return compareVersions(item.version, held) !== 'dominates';
}

/**
 * What becomes of a batch. An item is written where its path is new or its version dominates the one held. Otherwise the
 * same content is accepted, and the versions are joined where that adds something; other content is a conflict, under an
 * equal version too: a device that numbered two states alike must not lose one of them. Pure, so it is the same in every
 * engine. INVALID_ARGUMENT where the conflicts would not fit into an answer.
 */
export function decideCommit(state: CommitState, batch: CommitBatch): CommitDecision {
  if (state.missing.length > 0) {
    return { feed: state.feed, missing: state.missing, conflicts: [], writes: [] };
  }
  const writes: ItemWrite[] = [];
  const conflicts: Conflict[] = [];
  let { cursor, itemCount, itemBytes } = state.feed;
  let conflictBytes = 0;
  const place = (next: NewItem, held: ItemHead | undefined): void => {
    cursor = (cursor + 1) as Cursor;
    itemCount += (isLive(next.item) ? 1 : 0) - (held?.live === true ? 1 : 0);
    itemBytes += sizeOf(next.item) - (held?.sizeBytes ?? 0);
    writes.push({ cursor, item: next.item, encoded: next.encoded, supersedes: held?.cursor });
  };
  batch.items.forEach((next, index) => {
    const current = state.current[index];
    if (current?.content === undefined) {
      place(next, current?.head);
      return;
    }
    const joined = joinWhereSame(next.item, current.content.item);
    if (joined === 'conflict') {
      conflicts.push({ index, cursor: current.head.cursor, current: current.content.item });
      conflictBytes += current.content.encoded.length;
    } else if (joined !== 'held') {
      place({ item: joined, encoded: encodeItem(joined) }, current.head);
    }
  });
  if (conflictBytes > metadataLimits.conflictBytes) {
    throw invalidArgument('items', 'conflict with items too large for one answer; commit fewer of them in one message');
  }
  return { feed: { cursor, itemCount, itemBytes }, missing: state.missing, conflicts, writes };
}

/** The held item with the joined version; 'held' where that is the one it has. */
function joinWhereSame(next: Item, held: Item): Item | 'held' | 'conflict' {
  if (!sameContent(next.content, held.content)) return 'conflict';
  const version = joinVersions(held.version, next.version);
  if (compareVersions(version, held.version) === 'equal') return 'held';
  return version.length > wireLimits.versionEntries ? 'conflict' : { ...held, version };
}

function isLive(item: Item): boolean {
  return item.content.kind !== 'deletion';
}

function sizeOf(item: Item): number {
  return item.content.kind === 'file' ? item.content.sizeBytes : 0;
}

/** What a path holds after `write`. */
export function headOf({ cursor, item }: ItemWrite): ItemHead {
  return { cursor, version: item.version, live: isLive(item), sizeBytes: sizeOf(item) };
}

/**
 * The blocks of the items for which `isHeld` says no: packed, each once, in the order of the items, and no more of them
 * than a message may list.
 */
export function missingBlocks(items: readonly NewItem[], isHeld: (hash: Uint8Array) => boolean): Uint8Array {
  const missing = new Set<HashKey>();
  for (const { item } of items) {
    if (item.content.kind !== 'file') continue;
    const { hashes } = item.content.blocks;
    const count = hashCount(hashes);
    for (let index = 0; index < count; index++) {
      const hash = hashAt(hashes, index);
      if (isHeld(hash)) continue;
      missing.add(hashKey(hash));
      if (missing.size === wireLimits.hashesPerMessage) return packKeys([...missing]);
    }
  }
  return packKeys([...missing]);
}
