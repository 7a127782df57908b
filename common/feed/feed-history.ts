import { invalidArgument } from '../errors.js';
import type { Random } from '../random.js';

declare const brand: unique symbol;

/**
 * What tells the cursors of a feed from the same numbers of another one: that of the process that has added the entry. 16
 * lower-case hexadecimal digits, random. Where a cursor has the same history in two feeds, they are the same up to it.
 */
export type FeedHistory = string & { readonly [brand]: 'FeedHistory' };

/** Bytes of a history on the wire and in stores. */
export const HISTORY_BYTES = 8;

/** The history of what a process adds to the feeds that it keeps, made when it opens them. */
export function newFeedHistory(random: Random): FeedHistory {
  return feedHistoryOf(random.bytes(HISTORY_BYTES));
}

/** A history off the wire; INVALID_ARGUMENT where it is neither absent nor of 8 bytes. */
export function parseFeedHistory(field: string, value: Uint8Array | undefined): FeedHistory | undefined {
  if (value === undefined) return undefined;
  if (value.length !== HISTORY_BYTES) {
    throw invalidArgument(field, `must be absent or have ${HISTORY_BYTES} bytes, not ${value.length}`);
  }
  return feedHistoryOf(value);
}

/** The history that begins at `offset` of a record. */
export function feedHistoryOf(record: Uint8Array, offset = 0): FeedHistory {
  const bytes = Buffer.from(record.buffer, record.byteOffset + offset, HISTORY_BYTES);
  return bytes.toString('hex') as FeedHistory;
}

/** The bytes of a history, for the wire and for stores. */
export function feedHistoryBytes(history: FeedHistory): Buffer {
  return Buffer.from(history, 'hex');
}

/** The same where there may be none. */
export function feedHistoryToWire(history: FeedHistory | undefined): Buffer | undefined {
  return history === undefined ? undefined : feedHistoryBytes(history);
}
