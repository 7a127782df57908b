import type { Cursor } from '../ids.js';
import type { Item, Version } from './item.js';
import type { NewItem } from './push-items.js';

/** Where a feed ends, and what lies in it. */
export interface FeedHead {
  /** The last cursor handed out. */
  readonly cursor: Cursor;
  /** Items that are not deletions. */
  readonly itemCount: number;
  /** The sum of their sizes in bytes. */
  readonly itemBytes: number;
}

/** The end of the feed of a namespace in which nothing has been committed. */
export const EMPTY_FEED: FeedHead = { cursor: 0 as Cursor, itemCount: 0, itemBytes: 0 };

/** What is known of a path's current item without reading it. */
export interface ItemHead {
  readonly cursor: Cursor;
  readonly version: Version;
  /** Not a deletion. */
  readonly live: boolean;
  /** Of a file; 0 otherwise. */
  readonly sizeBytes: number;
}

/** One item's new state and the place that it takes. */
export interface ItemWrite {
  readonly cursor: Cursor;
  readonly item: Item;
  readonly encoded: Uint8Array;
  /** The entry that leaves the feed. */
  readonly supersedes: Cursor | undefined;
}

/** Gives items their places at the end of a feed. */
export class Placement {
  /** With ascending cursors. */
  readonly writes: ItemWrite[] = [];
  #feed: FeedHead;

  constructor(feed: FeedHead) {
    this.#feed = feed;
  }

  /** The feed with what has been placed. */
  get feed(): FeedHead {
    return this.#feed;
  }

  /** Places `next` after everything else, instead of what its path holds. Returns its cursor. */
  place({ item, encoded }: NewItem, held: ItemHead | undefined): Cursor {
    const { cursor: end, itemCount, itemBytes } = this.#feed;
    const cursor = (end + 1) as Cursor;
    this.#feed = {
      cursor,
      itemCount: itemCount + (isLive(item) ? 1 : 0) - (held?.live === true ? 1 : 0),
      itemBytes: itemBytes + sizeOf(item) - (held?.sizeBytes ?? 0),
    };
    this.writes.push({ cursor, item, encoded, supersedes: held?.cursor });
    return cursor;
  }
}

/** What a path holds after `write`. */
export function headOf({ cursor, item }: ItemWrite): ItemHead {
  return { cursor, version: item.version, live: isLive(item), sizeBytes: sizeOf(item) };
}

function isLive(item: Item): boolean {
  return item.content.kind !== 'deletion';
}

function sizeOf(item: Item): number {
  return item.content.kind === 'file' ? item.content.sizeBytes : 0;
}
