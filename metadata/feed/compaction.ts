import { CURSOR_START, type Cursor } from '../../common/ids.js';
import { metadataLimits } from '../../common/limits.js';
import type { FeedMark, FeedPast, ReplicaRow } from '../store/rows.js';

/**
 * Up to which cursor a feed's deletions may be forgotten. All replicas that are known have seen them, and they are
 * `metadataLimits.tombstoneKeptMs` old; or they are `tombstoneAgeMs` old: a replica that has been away for so long begins
 * again. Where no replica is known, age alone counts. Pure.
 */
export function forgettableThrough({ marks }: FeedPast, replicas: readonly ReplicaRow[], nowMs: number): Cursor {
  const known = replicas.filter((replica) => !isGone(replica, nowMs));
  const seenByAll = known.reduce((least, { seen }) => Math.min(least, seen), known.length === 0 ? 0 : Infinity);
  const seenAndKept = Math.min(seenByAll, endAt(marks, nowMs - metadataLimits.tombstoneKeptMs));
  return Math.max(seenAndKept, endAt(marks, nowMs - metadataLimits.tombstoneAgeMs)) as Cursor;
}

/** Whether a replica has been away for so long that nothing is kept for its sake. */
export function isGone({ heardAtMs }: ReplicaRow, nowMs: number): boolean {
  return nowMs - heardAtMs > metadataLimits.tombstoneAgeMs;
}

/**
 * The marks once the feed is known to end at `end` now: one more where the last one is old enough and the feed has moved,
 * without those that are of no use any more. The same array where nothing has changed.
 */
export function marksAt(marks: readonly FeedMark[], end: Cursor, nowMs: number): readonly FeedMark[] {
  const { cursor, atMs } = marks.at(-1) ?? { cursor: CURSOR_START, atMs: -Infinity };
  if (end === cursor || nowMs - atMs < metadataLimits.feedMarkMs) return marks;
  // Of those that are older than any limit the last one says it all.
  const oldest = marks.findLastIndex((mark) => mark.atMs <= nowMs - metadataLimits.tombstoneAgeMs);
  return [...marks.slice(Math.max(0, oldest)), { cursor: end, atMs: nowMs }];
}

/** Where the feed ended at the last mark that was made by `atMs`. */
function endAt(marks: readonly FeedMark[], atMs: number): Cursor {
  return marks.findLast((mark) => mark.atMs <= atMs)?.cursor ?? CURSOR_START;
}
