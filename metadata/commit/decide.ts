import { hashAt, hashCount, hashKey, packKeys, type HashKey } from '../../common/block-hash.js';
import { invalidArgument } from '../../common/errors.js';
import { encodeItem } from '../../common/feed/item-codec.js';
import { statesOf, type FeedEntry, type Item, type Version } from '../../common/feed/item.js';
import { collide, fitsTheWire, mergeItems, sameItem } from '../../common/feed/merge.js';
import { compareVersions, NO_VERSION } from '../../common/feed/version.js';
import type { AgentId, Cursor, DeviceId } from '../../common/ids.js';
import { metadataLimits, wireLimits } from '../../common/limits.js';
import type { FeedHead } from '../store/rows.js';
import { authorship, bringsOthersChanges } from './authorship.js';

/** Items to commit, and word of blocks stored: one transaction. */
export interface CommitBatch {
  /** Each path at most once. */
  readonly items: readonly NewItem[];
  /** From receipts that have been verified. */
  readonly stored: readonly StoredBlocks[];
  /** Whose changes these are; where it is not set, anybody's are taken. See metadata/commit/authorship.ts. */
  readonly committer?: DeviceId;
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
  /** Set where {@link contentsNeeded}. */
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

/** What became of an item that is not held as it was sent. */
export interface Merged {
  /** Its place in the batch. */
  readonly index: number;
  /** What the namespace holds now; undefined where that is nothing. */
  readonly current: FeedEntry | undefined;
}

export interface CommitDecision {
  /** The feed after this commit. */
  readonly feed: FeedHead;
  /** Packed; where it is not empty nothing is written. */
  readonly missing: Uint8Array;
  /** In the order of the batch. */
  readonly merged: readonly Merged[];
  /** With ascending cursors. */
  readonly writes: readonly ItemWrite[];
}

/**
 * Of which items a commit has to look at what their paths hold, given what is held: of those that do not plainly succeed
 * it, or of all where it brings changes of others.
 */
export function contentsNeeded(batch: CommitBatch): (item: Item, held: Version) => boolean {
  if (mustBeAllowed(batch)) return () => true;
  return (item, held) => compareVersions(item.version, held) !== 'dominates';
}

/**
 * What becomes of a batch: each item is merged with the one held, and written where that says something new. It is left out
 * where the merged item would exceed the limits, where another state is held under its change, and where it is not the
 * committer's to make. Pure, so it is the same in every engine. INVALID_ARGUMENT where what is to be said of the items
 * would not fit into an answer.
 */
export function decideCommit(state: CommitState, batch: CommitBatch): CommitDecision {
  if (state.missing.length > 0) return { feed: state.feed, missing: state.missing, merged: [], writes: [] };
  const writes: ItemWrite[] = [];
  const merged: Merged[] = [];
  let { cursor, itemCount, itemBytes } = state.feed;
  let answerBytes = 0;
  const place = ({ item, encoded }: NewItem, held: ItemHead | undefined): void => {
    cursor = (cursor + 1) as Cursor;
    itemCount += (isLive(item) ? 1 : 0) - (held?.live === true ? 1 : 0);
    itemBytes += sizeOf(item) - (held?.sizeBytes ?? 0);
    writes.push({ cursor, item, encoded, supersedes: held?.cursor });
  };
  const isAllowed = allowance(state, batch);
  batch.items.forEach((next, index) => {
    const current = state.current[index];
    const held = current?.content;
    const outcome = isAllowed(next.item, current) ? mergeWith(held, next) : held;
    let at = current?.head.cursor;
    if (outcome !== undefined && outcome !== held) {
      place(outcome, current?.head);
      at = cursor;
    }
    if (outcome !== undefined && sameItem(outcome.item, next.item)) return;
    answerBytes += outcome?.encoded.length ?? 0;
    merged.push({ index, current: outcome && at !== undefined ? { cursor: at, item: outcome.item } : undefined });
  });
  if (merged.length > 1 && answerBytes > metadataLimits.answerBytes) {
    throw invalidArgument('items', 'meet items too large for one answer; commit fewer of them in one message');
  }
  return { feed: { cursor, itemCount, itemBytes }, missing: state.missing, merged, writes };
}

function mustBeAllowed({ committer, items }: CommitBatch): boolean {
  return committer !== undefined && bringsOthersChanges(committer, items);
}

function allowance(state: CommitState, batch: CommitBatch): (item: Item, current: CurrentItem | undefined) => boolean {
  if (batch.committer === undefined || !mustBeAllowed(batch)) return () => true;
  const held = state.current.flatMap((current) => (current?.content === undefined ? [] : [current.content.item]));
  const isTheirs = authorship(batch.committer, held);
  return (item, current) => isTheirs(item, current?.head.version ?? NO_VERSION);
}

/** What a path holds once `next` has come to `held`: one of the two themselves where the other adds nothing. */
function mergeWith(held: NewItem | undefined, next: NewItem): NewItem {
  if (held === undefined) return next;
  const item = mergeItems(held.item, next.item);
  if (item === held.item || collide(held.item, next.item) || !fitsTheWire(item)) return held;
  return item === next.item ? next : { item, encoded: encodeItem(item) };
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
 * The blocks of the items, of all their states, for which `isHeld` says no: packed, each once, in the order of the items,
 * and no more of them than a message may list.
 */
export function missingBlocks(items: readonly NewItem[], isHeld: (hash: Uint8Array) => boolean): Uint8Array {
  const missing = new Set<HashKey>();
  for (const { item } of items) {
    for (const { content } of statesOf(item)) {
      if (content.kind !== 'file') continue;
      const { hashes } = content.blocks;
      const count = hashCount(hashes);
      for (let index = 0; index < count; index++) {
        const hash = hashAt(hashes, index);
        if (isHeld(hash)) continue;
        missing.add(hashKey(hash));
        if (missing.size === wireLimits.hashesPerMessage) return packKeys([...missing]);
      }
    }
  }
  return packKeys([...missing]);
}
