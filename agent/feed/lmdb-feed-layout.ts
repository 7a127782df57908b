import { feedHistoryBytes, feedHistoryOf } from '../../common/feed/feed-history.js';
import type { Cursor, NamespaceId } from '../../common/ids.js';
import { decodeFeedHead, encodeFeedHead } from '../../common/store/feed-records.js';
import { readUint64, writeUint64 } from '../../common/store/keys.js';
import type { FeedProgress } from './feed-store.js';

/**
 * What the LMDB engine keeps where (docs/storage-format.md):
 *
 *     heads       namespace (16)                  → progress
 *     feed        namespace (16), cursor (8)      → item; the current entries alone
 *     paths       namespace (16), path in UTF-8   → item head
 *     log         namespace (16), sequence (8)    → PushRequest that waits for metadata
 *     histories   namespace (16), cursor (8)      → history (8) of the entries from there on
 */
export const treeNames = ['heads', 'feed', 'paths', 'log', 'histories'] as const;
export type TreeName = (typeof treeNames)[number];

const FEED_HEAD_BYTES = 24;
const PROGRESS_BYTES = FEED_HEAD_BYTES + 32;

/**
 * The feed head (24), then what was followed, the last sequence of the log, its messages and its bytes, 8 each; then the
 * history of what was followed (8), where there is one.
 */
export function encodeProgress({
  feed,
  followed,
  followedHistory,
  logged,
  waiting,
  waitingBytes,
}: FeedProgress): Buffer {
  const history = followedHistory === undefined ? Buffer.alloc(0) : feedHistoryBytes(followedHistory);
  const value = Buffer.concat([encodeFeedHead(feed), Buffer.alloc(PROGRESS_BYTES - FEED_HEAD_BYTES), history]);
  [followed, logged, waiting, waitingBytes].forEach((number, index) => {
    writeUint64(value, number, FEED_HEAD_BYTES + index * 8);
  });
  return value;
}

export function decodeProgress(value: Buffer): FeedProgress {
  const number = (index: number): number => readUint64(value, FEED_HEAD_BYTES + index * 8);
  return {
    feed: decodeFeedHead(value),
    followed: number(0) as Cursor,
    logged: number(1),
    waiting: number(2),
    waitingBytes: number(3),
    followedHistory: value.length > PROGRESS_BYTES ? feedHistoryOf(value, PROGRESS_BYTES) : undefined,
  };
}

/** The namespace of a key that is one. */
export function namespaceOfKey(key: Uint8Array): NamespaceId {
  return Buffer.from(key).toString('hex') as NamespaceId;
}
