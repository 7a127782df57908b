import type { FeedSource } from '../../common/feed-service/feed-source.js';
import type { PushBatch, PushDecision } from '../../common/feed/decide-push.js';
import type { ItemPath } from '../../common/feed/item.js';
import type { FeedHistory } from '../../common/feed/feed-history.js';
import { EMPTY_FEED, type FeedHead } from '../../common/feed/placement.js';
import type { NewItem } from '../../common/feed/push-items.js';
import { CURSOR_START, type Cursor, type NamespaceId } from '../../common/ids.js';

/**
 * What an agent keeps of the feeds of its namespaces: a replica of the items, in an order of its own, and the messages that
 * devices have pushed to it and metadata has not yet answered. One contract, two engines, one suite of tests for both
 * (test/contract/feed-store.ts).
 *
 * Items enter by merging alone: what says nothing new moves nothing. Cursors are the agent's own, dense, and grow for ever:
 * also a namespace that was dropped goes on with the next number when it comes back, so that no reader takes one feed for
 * another. A namespace of which nothing was ever written is empty; there is none that is unknown.
 *
 * Every method that writes is one transaction and resolves when that is durable. Writes of one namespace take effect in the
 * order of the calls. After `close` every method rejects with UNAVAILABLE (DRAINING). A medium that fails raises INTERNAL
 * (STORE_FAILED), and nothing was written.
 */
export interface FeedStore extends FeedSource {
  progress(namespaceId: NamespaceId): Promise<FeedProgress>;

  /** Merges a part of metadata's feed, and notes how far it has been followed. */
  follow(namespaceId: NamespaceId, part: FollowedPart): Promise<FeedHead>;

  /**
   * Merges what a device has pushed, and appends the message to the provisional log where that says something new. What
   * `decidePush` raises, raises this; RESOURCE_EXHAUSTED (OVERLOADED) where `agentLimits.provisionalMessages` messages, or
   * `provisionalBytes` of them, wait in this namespace.
   */
  push(namespaceId: NamespaceId, push: ProvisionalPush): Promise<PushDecision>;

  /** The message that has waited longest; undefined where none waits. */
  firstProvisional(namespaceId: NamespaceId): Promise<ProvisionalMessage | undefined>;

  /** Takes a message out of the log. Idempotent. */
  removeProvisional(namespaceId: NamespaceId, sequence: number): Promise<void>;

  /** Forgets the namespace, its items and its log; only its last cursor stays, and the histories. Idempotent. */
  drop(namespaceId: NamespaceId): Promise<void>;

  /** The namespaces of which anything is kept beside these, in the order of their ids. */
  namespaces(): Promise<readonly NamespaceId[]>;

  stats(): Promise<FeedStoreStats>;

  /** Calls `listener` after each durable write that moved a feed. It must not throw. */
  onMoved(listener: (namespaceId: NamespaceId, cursor: Cursor) => void): void;

  /** Waits for what has begun, then closes. Idempotent. */
  close(): Promise<void>;
}

/** How far a namespace has come. */
export interface FeedProgress {
  readonly feed: FeedHead;
  /** The cursor of metadata's feed up to which everything is here. */
  readonly followed: Cursor;
  /** The history that came with it; absent where none did. */
  readonly followedHistory?: FeedHistory | undefined;
  /** Sequence of the last message ever appended to the log, and how many, of how many bytes, wait. */
  readonly logged: number;
  readonly waiting: number;
  readonly waitingBytes: number;
}

/** A namespace of which nothing was ever written. */
export const NO_PROGRESS: FeedProgress = {
  feed: EMPTY_FEED,
  followed: CURSOR_START,
  logged: 0,
  waiting: 0,
  waitingBytes: 0,
};

/** A part of metadata's feed. */
export interface FollowedPart {
  readonly items: readonly NewItem[];
  /** What `followed` is afterwards. */
  readonly followed: Cursor;
  /** And `followedHistory`. */
  readonly followedHistory?: FeedHistory | undefined;
  /**
   * Set where the feed was read from its beginning to its end because metadata no longer tells what has left it: all its
   * paths. What lies elsewhere is forgotten, unless a waiting message names it.
   */
  readonly onlyPaths?: ReadonlySet<ItemPath>;
}

/** What a device has pushed. */
export interface ProvisionalPush {
  readonly batch: PushBatch;
  /** The PushRequest as it is to be passed on, encoded: namespace, items and endorsement, and no receipts. */
  readonly message: Uint8Array;
}

/** A message that waits for metadata. */
export interface ProvisionalMessage {
  /** Its place in the log of the namespace, from 1, growing. */
  readonly sequence: number;
  /** As it was pushed. */
  readonly message: Uint8Array;
}

export interface FeedStoreStats {
  /** Namespaces of which anything is kept. */
  readonly namespaces: number;
  /** Items that are not deletions. */
  readonly items: number;
  /** Messages that wait for metadata. */
  readonly provisionalMessages: number;
}
