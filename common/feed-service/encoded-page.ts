import { feedHistoryBytes, HISTORY_BYTES, type FeedHistory } from '../feed/feed-history.js';
import type { Cursor } from '../ids.js';
import type { FeedSlice, StoredEntry } from './feed-source.js';

/** A page of a feed, encoded once for all who are sent it. */
export interface EncodedPage {
  /** The protobuf encoding of drystone.feed.v1.FeedPage. */
  readonly bytes: Buffer;
  readonly entryCount: number;
  readonly nextCursor: Cursor;
  readonly caughtUp: boolean;
  /** As of the slice. */
  readonly forgottenThrough?: Cursor | undefined;
}

/** Tags of drystone.feed.v1.FeedPage and FeedEntry: field number and wire type. */
const PAGE_ENTRIES = 0x0a;
const PAGE_NEXT_CURSOR = 0x10;
const PAGE_CAUGHT_UP = 0x18;
const PAGE_HISTORY = 0x2a;
const ENTRY_CURSOR = 0x08;
const ENTRY_ITEM = 0x12;

/**
 * Encodes a page from items as they lie in the store, which need not be decoded for it. The bytes are those that the
 * generated code would make; a test compares them. `history` is that of the slice's `nextCursor`.
 */
export function encodeFeedPage(slice: FeedSlice, history?: FeedHistory): EncodedPage {
  const { entries, nextCursor, caughtUp, forgottenThrough } = slice;
  const entrySizes = entries.map(entrySize);
  const historySize = history === undefined ? 0 : 2 + HISTORY_BYTES;
  const tailBytes = (nextCursor > 0 ? 1 + varintSize(nextCursor) : 0) + (caughtUp ? 2 : 0) + historySize;
  const totalBytes = entrySizes.reduce((sum, size) => sum + 1 + varintSize(size) + size, tailBytes);
  const bytes = Buffer.allocUnsafe(totalBytes);
  let offset = 0;
  entries.forEach((entry, index) => {
    offset = writeVarint(bytes, bytes.writeUInt8(PAGE_ENTRIES, offset), entrySizes[index] ?? 0);
    offset = writeVarint(bytes, bytes.writeUInt8(ENTRY_CURSOR, offset), entry.cursor);
    offset = writeVarint(bytes, bytes.writeUInt8(ENTRY_ITEM, offset), entry.item.length);
    bytes.set(entry.item, offset);
    offset += entry.item.length;
  });
  if (nextCursor > 0) offset = writeVarint(bytes, bytes.writeUInt8(PAGE_NEXT_CURSOR, offset), nextCursor);
  if (caughtUp) offset = bytes.writeUInt8(1, bytes.writeUInt8(PAGE_CAUGHT_UP, offset));
  if (history !== undefined) {
    bytes.set(feedHistoryBytes(history), bytes.writeUInt8(HISTORY_BYTES, bytes.writeUInt8(PAGE_HISTORY, offset)));
  }
  return { bytes, entryCount: entries.length, nextCursor, caughtUp, forgottenThrough };
}

function entrySize({ cursor, item }: StoredEntry): number {
  return 1 + varintSize(cursor) + 1 + varintSize(item.length) + item.length;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

function writeVarint(target: Buffer, start: number, value: number): number {
  let offset = start;
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) offset = target.writeUInt8((rest % 0x80) | 0x80, offset);
  return target.writeUInt8(rest, offset);
}
