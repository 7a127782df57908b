import { overloaded } from '../../common/errors.js';
import { decidePush, readCurrent, type FeedView, type PushDecision } from '../../common/feed/decide-push.js';
import { encodeItem } from '../../common/feed/item-codec.js';
import type { ItemPath } from '../../common/feed/item.js';
import { fitsTheWire, mergeItems } from '../../common/feed/merge.js';
import { Placement, type FeedHead, type ItemHead, type ItemWrite } from '../../common/feed/placement.js';
import type { NewItem } from '../../common/feed/push-items.js';
import { agentLimits } from '../../common/limits.js';
import { PushRequest } from '../../proto/gen/drystone/feed/v1/feed.js';
import type { FeedProgress, FollowedPart, ProvisionalPush } from './feed-store.js';

/** What a transaction makes of a namespace: decided here, for all engines, and written by the engine. */
export interface FeedChange {
  readonly progress: FeedProgress;
  /** With ascending cursors. */
  readonly writes: readonly ItemWrite[];
  /** Paths that are forgotten, and what they hold. */
  readonly forgotten: readonly { readonly path: ItemPath; readonly head: ItemHead }[];
  /** Appended to the log, under `progress.logged`. */
  readonly appended: Uint8Array | undefined;
}

/** A namespace inside a transaction. */
export interface NamespaceView extends FeedView {
  readonly progress: FeedProgress;
  /** All paths, deletions included. */
  paths(): Iterable<ItemPath>;
  /** The messages of the log. */
  log(): Iterable<Uint8Array>;
}

const NOTHING_MISSING = new Uint8Array(0);

/** Merges a part of metadata's feed. */
export function changeByFollowing(
  view: NamespaceView,
  { items, followed, followedHistory, onlyPaths }: FollowedPart,
): FeedChange {
  const placement = new Placement(view.feed);
  readCurrent(view, { items }).forEach((current, index) => {
    const next = items[index];
    if (next === undefined) return;
    const held = current?.content;
    const outcome = held === undefined ? next : mergeFollowed(held, next);
    if (outcome !== held) placement.place(outcome, current?.head);
  });
  const progress = { ...view.progress, feed: placement.feed, followed, followedHistory };
  const forgotten = onlyPaths === undefined ? [] : outside(view, onlyPaths);
  return { ...changeByForgetting(progress, forgotten), writes: placement.writes };
}

/**
 * Merges what a device has pushed, and appends the message to the log where that says something new: what says nothing is
 * metadata's already, or waits in an earlier message.
 */
export function changeByPush(
  view: NamespaceView,
  { batch, message }: ProvisionalPush,
): { readonly decision: PushDecision; readonly change: FeedChange | undefined } {
  const state = { feed: view.feed, current: readCurrent(view, batch), missing: NOTHING_MISSING };
  const decision = decidePush(state, batch);
  if (decision.writes.length === 0) return { decision, change: undefined };
  const { progress } = view;
  const waiting = progress.waiting + 1;
  const waitingBytes = progress.waitingBytes + message.length;
  if (waiting > agentLimits.provisionalMessages || waitingBytes > agentLimits.provisionalBytes) {
    throw overloaded('too much waits here to be passed on to metadata', agentLimits.provisionalRetryMs);
  }
  return {
    decision,
    change: {
      progress: { ...progress, feed: decision.feed, logged: progress.logged + 1, waiting, waitingBytes },
      writes: decision.writes,
      forgotten: [],
      appended: message,
    },
  };
}

/** Forgets these paths. */
export function changeByForgetting(progress: FeedProgress, forgotten: FeedChange['forgotten']): FeedChange {
  const feed = without(
    progress.feed,
    forgotten.map(({ head }) => head),
  );
  return { progress: { ...progress, feed }, writes: [], forgotten, appended: undefined };
}

/**
 * What a path holds once metadata's item has come to `held`. Metadata's word is taken where both together would be no item
 * any more: it stays what everybody else has.
 */
function mergeFollowed(held: NewItem, next: NewItem): NewItem {
  const item = mergeItems(held.item, next.item);
  if (item === held.item) return held;
  if (item === next.item || !fitsTheWire(item)) return next;
  return { item, encoded: encodeItem(item) };
}

/** What lies outside of `paths`, and outside of what the messages of the log name. */
function outside(view: NamespaceView, paths: ReadonlySet<ItemPath>): FeedChange['forgotten'] {
  const waiting = new Set<string>();
  for (const message of view.log()) for (const { path } of PushRequest.decode(message).items) waiting.add(path);
  return [...view.paths()].flatMap((path) => {
    const head = paths.has(path) || waiting.has(path) ? undefined : view.head(path);
    return head === undefined ? [] : [{ path, head }];
  });
}

function without(feed: FeedHead, heads: readonly ItemHead[]): FeedHead {
  return {
    cursor: feed.cursor,
    itemCount: feed.itemCount - heads.filter(({ live }) => live).length,
    itemBytes: feed.itemBytes - heads.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  };
}
