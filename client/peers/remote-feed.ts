import type { FeedQuery, FeedSlice, FeedSource, StoredEntry } from '../../common/feed-service/feed-source.js';
import { sliceOf } from '../../common/feed-service/feed-slice.js';
import { encodeItem } from '../../common/feed/item-codec.js';
import type { ItemPath } from '../../common/feed/item.js';
import type { Cursor, NamespaceId } from '../../common/ids.js';
import { peerLimits } from '../../common/limits.js';
import type { RemoteMove, TreeStore } from '../state/tree-store.js';

export interface RemoteFeedParts {
  readonly store: Pick<TreeStore, 'remote' | 'onRemoteMoved'>;
  /** By the calendar, when this feed's life begins: milliseconds since 1970 UTC. */
  readonly startedAtMs: number;
  /** The feed has moved to a new end. */
  readonly onMoved: (end: Cursor) => void;
}

/** A place in the order; the path may have a later one by now. */
interface Place {
  readonly cursor: number;
  readonly path: ItemPath;
}

/**
 * The remote tree as a feed, which it is not by itself: an order is made when somebody first asks, the paths by their names
 * and from then on each that moves at the end, and kept in memory: about a hundred bytes for each path. Items are read
 * from the tree when they are asked for, so one may be newer than its place; then it comes again.
 *
 * Cursors begin at the calendar's time, a thousand for each millisecond: who read an earlier life of this feed is behind its
 * beginning and reads all of it, or, where the clock was set back, is ahead of its end and told so.
 */
export class RemoteFeed implements FeedSource {
  /** Ascending; undefined before anybody has asked. */
  #places: Place[] | undefined;
  /** Where each path stands. */
  readonly #cursors = new Map<ItemPath, number>();
  #end: number;

  constructor(private readonly parts: RemoteFeedParts) {
    this.#end = Math.floor(parts.startedAtMs) * peerLimits.cursorsPerMs;
  }

  /** How many places are remembered, those that paths have left among them. */
  get placeCount(): number {
    return this.#places?.length ?? 0;
  }

  /** Whatever the namespace: it was decided before that the caller may read this one. */
  feedHead(_namespaceId: NamespaceId): Promise<{ readonly cursor: Cursor }> {
    this.#made();
    return Promise.resolve({ cursor: this.#end as Cursor });
  }

  async readFeed(_namespaceId: NamespaceId, query: FeedQuery): Promise<FeedSlice> {
    const places = this.#made();
    return sliceOf(this.#end as Cursor, query, () => this.#entriesAfter(places, query.after));
  }

  /** No cursor is given twice, by whatever life of this feed. */
  historyOf(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  #made(): Place[] {
    if (this.#places !== undefined) return this.#places;
    const { store } = this.parts;
    this.#places = [];
    store.onRemoteMoved((moved) => this.#moved(moved));
    for (const path of store.remote.pathsBelow('')) this.#place(this.#places, path);
    return this.#places;
  }

  #moved({ isEmptied, paths }: RemoteMove): void {
    const places = (this.#places ??= []);
    if (isEmptied) {
      places.length = 0;
      this.#cursors.clear();
    }
    for (const path of paths) {
      if (this.parts.store.remote.get(path) === undefined) this.#cursors.delete(path);
      else this.#place(places, path);
    }
    this.#tidy(places);
    this.parts.onMoved(this.#end as Cursor);
  }

  #place(places: Place[], path: ItemPath): void {
    const cursor = ++this.#end;
    this.#cursors.set(path, cursor);
    places.push({ cursor, path });
  }

  /** Drops places that paths have left once they are the most. */
  #tidy(places: Place[]): void {
    if (places.length <= 2 * this.#cursors.size + peerLimits.placesLeft) return;
    this.#places = places.filter(({ cursor, path }) => this.#cursors.get(path) === cursor);
  }

  *#entriesAfter(places: readonly Place[], after: number): Generator<StoredEntry, void, undefined> {
    for (let index = firstAfter(places, after); index < places.length; index++) {
      const place = places[index];
      if (place === undefined || this.#cursors.get(place.path) !== place.cursor) continue;
      const item = this.parts.store.remote.get(place.path);
      if (item !== undefined) yield { cursor: place.cursor as Cursor, item: encodeItem(item) };
    }
  }
}

/** The index of the first place after `cursor`. */
function firstAfter(places: readonly Place[], cursor: number): number {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((places[middle]?.cursor ?? Infinity) <= cursor) low = middle + 1;
    else high = middle;
  }
  return low;
}
