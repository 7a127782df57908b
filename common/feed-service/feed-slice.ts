import type { Cursor } from '../ids.js';
import { feedLimits } from '../limits.js';
import { isEncodedAtOrBelow } from './encoded-item.js';
import { cursorAhead, type FeedQuery, type FeedSlice, type StoredEntry } from './feed-source.js';

/** A page of a feed that ends at `end`, from entries after `query.after`, ascending; no more of them are taken than needed. */
export function sliceOf(
  end: Cursor,
  query: FeedQuery,
  entriesAfter: (limit: number) => Iterable<StoredEntry>,
): FeedSlice {
  if (query.after > end) throw cursorAhead(query.after, end);
  const prefix = Buffer.from(query.pathPrefix);
  const scanned = prefix.length === 0 ? query.maxEntries : feedLimits.entriesScannedPerPage;
  const entries: StoredEntry[] = [];
  let [bytes, looked, nextCursor] = [0, 0, query.after];
  for (const { cursor, item } of entriesAfter(scanned + 1)) {
    if (looked++ === scanned) return { entries, nextCursor, caughtUp: false };
    if (isEncodedAtOrBelow(item, prefix)) {
      bytes += item.length;
      const isFull = entries.length === query.maxEntries || (entries.length > 0 && bytes > query.maxBytes);
      if (isFull) return { entries, nextCursor, caughtUp: false };
      entries.push({ cursor, item });
    }
    nextCursor = cursor;
  }
  return { entries, nextCursor: end, caughtUp: true };
}
