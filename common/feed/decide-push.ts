import { invalidArgument } from '../errors.js';
import type { Cursor, DeviceId } from '../ids.js';
import { feedLimits } from '../limits.js';
import { authorship, bringsOthersChanges } from './authorship.js';
import { settlersOf, settles } from './conflicts.js';
import { encodeItem } from './item-codec.js';
import { statesOf, type FeedEntry, type Item, type ItemPath, type ItemState, type Version } from './item.js';
import { collide, fitsTheWire, mergeItems, sameChange, sameItem } from './merge.js';
import { Placement, type FeedHead, type ItemHead, type ItemWrite } from './placement.js';
import type { NewItem } from './push-items.js';
import { compareVersions, covers, NO_VERSION } from './version.js';

/** Items that are pushed: one transaction. */
export interface PushBatch {
  /** Each path at most once. */
  readonly items: readonly NewItem[];
  /** Whose changes these are; where it is not set, anybody's are taken. See common/feed/authorship.ts. */
  readonly committer?: DeviceId;
  /** Whether another endpoint has taken these items already, and others have heard them from it. */
  readonly isRelayed?: boolean;
}

/** A path's current item. */
export interface CurrentItem {
  readonly head: ItemHead;
  /** Set where {@link contentsNeeded}. */
  readonly content: NewItem | undefined;
}

/** A namespace as a push finds it. */
export interface FeedState {
  readonly feed: FeedHead;
  /** For each item of the batch what its path holds; undefined for a new path. */
  readonly current: readonly (CurrentItem | undefined)[];
  /** Packed hashes, each once, of blocks of the items that are not held where they have to be. */
  readonly missing: Uint8Array;
}

/** What became of an item that is not held as it was sent. */
export interface Merged {
  /** Its place in the batch. */
  readonly index: number;
  /** What the namespace holds now; undefined where that is nothing. */
  readonly current: FeedEntry | undefined;
}

export interface PushDecision {
  /** The feed after this push. */
  readonly feed: FeedHead;
  /** Packed; where it is not empty nothing is written. */
  readonly missing: Uint8Array;
  /** In the order of the batch. */
  readonly merged: readonly Merged[];
  /** With ascending cursors. */
  readonly writes: readonly ItemWrite[];
}

/** A namespace inside a transaction, for engines that can look things up one by one at no cost. */
export interface FeedView {
  readonly feed: FeedHead;
  /** What the path holds. */
  head(path: ItemPath): ItemHead | undefined;
  /** The item at a place of the feed. */
  entry(cursor: Cursor): NewItem;
}

/** For each item of the batch what its path holds, its content where it is needed. */
export function readCurrent(view: FeedView, batch: PushBatch): (CurrentItem | undefined)[] {
  const isNeeded = contentsNeeded(batch);
  return batch.items.map(({ item }) => {
    const head = view.head(item.path);
    if (head === undefined) return undefined;
    return { head, content: isNeeded(item, head.version) ? view.entry(head.cursor) : undefined };
  });
}

/**
 * Of which items a push has to look at what their paths hold, given what is held: of those that do not plainly succeed
 * it, or of all where it brings changes of others.
 */
export function contentsNeeded(batch: PushBatch): (item: Item, held: Version) => boolean {
  if (mustBeAllowed(batch)) return () => true;
  return (item, held) => compareVersions(item.version, held) !== 'dominates';
}

/**
 * What becomes of a batch: each item is merged with the one held, and written where that says something new. It is left out
 * where the merged item would exceed the limits, where another state is held under its change, and where it is not the
 * committer's to make; of what was relayed more is, see {@link settlesKnown}. Pure, so it is the same in every engine and at every endpoint. INVALID_ARGUMENT where what is to be
 * said of the items would not fit into an answer.
 */
export function decidePush(state: FeedState, batch: PushBatch): PushDecision {
  if (state.missing.length > 0) return { feed: state.feed, missing: state.missing, merged: [], writes: [] };
  const placement = new Placement(state.feed);
  const merged: Merged[] = [];
  let answerBytes = 0;
  const allowed = allowedItems(state, batch);
  batch.items.forEach((next, index) => {
    const current = state.current[index];
    const held = current?.content;
    const outcome = allowed.has(next.item) ? mergeWith(held, next) : held;
    const isNew = outcome !== undefined && outcome !== held;
    const cursor = isNew ? placement.place(outcome, current?.head) : current?.head.cursor;
    if (outcome !== undefined && sameItem(outcome.item, next.item)) return;
    answerBytes += outcome?.encoded.length ?? 0;
    merged.push({ index, current: outcome && cursor !== undefined ? { cursor, item: outcome.item } : undefined });
  });
  if (merged.length > 1 && answerBytes > feedLimits.answerBytes) {
    throw invalidArgument('items', 'meet items too large for one answer; commit fewer of them in one message');
  }
  return { feed: placement.feed, missing: state.missing, merged, writes: placement.writes };
}

function mustBeAllowed({ committer, items }: PushBatch): boolean {
  return committer !== undefined && bringsOthersChanges(committer, items);
}

/** The items that are the committer's to bring. */
function allowedItems(state: FeedState, batch: PushBatch): ReadonlySet<Item> {
  const items = batch.items.map(({ item }) => item);
  const { committer } = batch;
  if (committer === undefined || !mustBeAllowed(batch)) return new Set(items);
  const held = state.current.flatMap((current) => (current?.content === undefined ? [] : [current.content.item]));
  const isTheirs = authorship(committer, held);
  const versions = new Map(items.map((item, index) => [item, state.current[index]?.head.version ?? NO_VERSION]));
  const heldOf = (item: Item): Version => versions.get(item) ?? NO_VERSION;
  const allowed = items.filter((item) => isTheirs(item, heldOf(item)) || settlesKnown(item, state, batch));
  const isChange = (item: Item): boolean => isNewBy(committer, item, heldOf(item));
  const accounted = allowed.filter((item) => isChange(item) || accountsForAll(item, heldOf(item), allowed));
  return new Set(batch.isRelayed === true ? accounted : withoutIdleCopies(items, accounted));
}

/**
 * Leaves out the copies that come along with what is not taken: of what stands there would be two. What an agent passes on
 * is another matter, since others have it already.
 */
function withoutIdleCopies(items: readonly Item[], taken: readonly Item[]): Item[] {
  const isTaken = new Set(taken);
  const refused = items.filter((item) => !isTaken.has(item));
  const idle = new Set(refused.flatMap(({ path, version }) => [...settlersOf(path, version)]));
  return taken.filter((item) => !statesOf(item).some(({ change }) => idle.has(change.replicaId)));
}

/** Whether the committer has put something in the place of what an item replaces, rather than settled a conflict in its own favour. */
function isNewBy(committer: DeviceId, item: Item, held: Version): boolean {
  return statesOf(item).some(({ author, change }) => author === committer && !covers(held, change));
}

/**
 * Whether of all that an item says is known, and the namespace does not know, the content is in the item itself or in a copy
 * that `others` bring: only who has put something else in its place may say that it is gone.
 */
function accountsForAll(item: Item, held: Version, others: readonly Item[]): boolean {
  // Numbers are a path's own: another item's change may have the same one.
  const own = statesOf(item).map(({ change }) => change);
  const all = [item, ...others].flatMap((other) => statesOf(other).map(({ change }) => change));
  return item.version.every((known) => {
    if (covers(held, known) || own.some((change) => sameChange(change, known))) return true;
    const settlers = settlersOf(item.path, [known]);
    return all.some(({ replicaId }) => settlers.has(replicaId));
  });
}

/**
 * Whether an item settles changes of the other items of its message that the namespace knows, without having them: what was
 * made where one could not know what became of them meanwhile. It is kept: that somebody who settled them first has kept
 * their content is more than the namespace can tell, and others have it already from whoever relays it. Only what follows
 * from known changes is: of what a device makes itself nobody else may speak.
 */
function settlesKnown(copy: Item, state: FeedState, { items, isRelayed = false }: PushBatch): boolean {
  if (!isRelayed) return false;
  const isSettling = ({ change }: ItemState): boolean =>
    items.some(({ item: { path, version } }, index) => {
      const held = state.current[index]?.head.version ?? NO_VERSION;
      return settles(
        change,
        path,
        version.filter((settled) => covers(held, settled)),
      );
    });
  return statesOf(copy).length > 0 && statesOf(copy).every(isSettling);
}

/** What a path holds once `next` has come to `held`: one of the two themselves where the other adds nothing. */
function mergeWith(held: NewItem | undefined, next: NewItem): NewItem {
  if (held === undefined) return next;
  const item = mergeItems(held.item, next.item);
  if (item === held.item || collide(held.item, next.item) || !fitsTheWire(item)) return held;
  return item === next.item ? next : { item, encoded: encodeItem(item) };
}
