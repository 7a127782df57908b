import { DrystoneError } from '../errors.js';
import type { FeedHistory } from '../feed/feed-history.js';
import { CURSOR_START, type Cursor, type NamespaceId } from '../ids.js';

/** The feeds of one endpoint, as they are read. */
export interface FeedSource {
  /** Where the feed ends; NOT_FOUND (NAMESPACE_UNKNOWN) where there is none. */
  feedHead(namespaceId: NamespaceId): Promise<{ readonly cursor: Cursor }>;
  /** A part of the feed, as of one moment; NOT_FOUND (NAMESPACE_UNKNOWN), OUT_OF_RANGE (CURSOR_AHEAD). */
  readFeed(namespaceId: NamespaceId, query: FeedQuery): Promise<FeedSlice>;
  /**
   * The history of a cursor up to the feed's end, which never changes; undefined at the start, and where it is not known.
   * NOT_FOUND (NAMESPACE_UNKNOWN).
   */
  historyOf(namespaceId: NamespaceId, cursor: Cursor): Promise<FeedHistory | undefined>;
}

export interface FeedQuery {
  /** Entries after this one. */
  readonly after: Cursor;
  /** Entries at the most. */
  readonly maxEntries: number;
  /** Encoded bytes of items at the most, unless the first is larger. */
  readonly maxBytes: number;
  /** Only items at or below this path; all where it is empty. */
  readonly pathPrefix: string;
}

export interface FeedSlice {
  /** Ascending. */
  readonly entries: readonly StoredEntry[];
  /** Go on after this one: past what the prefix left out, and the feed's end where that was reached. */
  readonly nextCursor: Cursor;
  /** Whether no entry after `nextCursor` existed when this was read. */
  readonly caughtUp: boolean;
  /** The last of the deletions that had been forgotten when this was read; absent where none was. */
  readonly forgottenThrough?: Cursor | undefined;
}

/** Where a reader stands, who asks for what comes next. */
export interface ReaderPlace {
  readonly after: Cursor;
  /**
   * Of one who has begun at 0, where the feed ended then: what had been deleted by that time it has never heard of, and need
   * not hear of.
   */
  readonly begunAt?: Cursor | undefined;
  /** The history that came with `after`; absent where none did. */
  readonly afterHistory?: FeedHistory | undefined;
}

/** OUT_OF_RANGE (CURSOR_FORGOTTEN) where deletions had been forgotten of which the reader would have to hear. */
export function checkNotMissed(
  { after, begunAt = CURSOR_START }: ReaderPlace,
  { forgottenThrough = CURSOR_START }: Pick<FeedSlice, 'forgottenThrough'>,
): void {
  if (after === CURSOR_START || Math.max(after, begunAt) >= forgottenThrough) return;
  const message = `deletions after cursor ${after} have been forgotten; read the feed again from 0, and drop what is not in it`;
  throw new DrystoneError('OUT_OF_RANGE', 'CURSOR_FORGOTTEN', message);
}

/** A feed entry as it lies in the store. */
export interface StoredEntry {
  readonly cursor: Cursor;
  /** The item's protobuf encoding. */
  readonly item: Uint8Array;
}

/** OUT_OF_RANGE (CURSOR_AHEAD) where the reader's place is one of another feed than that in which it has the history `known`. */
export function checkHistory({ after, afterHistory }: ReaderPlace, known: FeedHistory | undefined): void {
  if (afterHistory === undefined || known === undefined || afterHistory === known) return;
  const message = `cursor ${after} was given to another entry, that is lost; read the feed again from 0`;
  throw new DrystoneError('OUT_OF_RANGE', 'CURSOR_AHEAD', message);
}

/** OUT_OF_RANGE: the reader holds the state of another feed. */
export function cursorAhead(cursor: Cursor, end: Cursor): DrystoneError {
  const message = `cursor ${cursor} is beyond the feed's end, ${end}; read the feed again from 0`;
  return new DrystoneError('OUT_OF_RANGE', 'CURSOR_AHEAD', message);
}
