import { feedHistoryBytes, feedHistoryOf, type FeedHistory } from '../feed/feed-history.js';
import type { Cursor } from '../ids.js';
import { feedLimits } from '../limits.js';
import { cursorKey, keysWithPrefix } from './keys.js';
import { keysOf, type Tree } from './lmdb-environment.js';

/**
 * Which histories the cursors of the feeds of a store have. A tree keeps, for each process that has added entries to a
 * namespace, the first of them: namespace (16), cursor (8) → history (8); at most `feedLimits.histories` of a namespace, the
 * newest. All of it for use inside a read or a write.
 */
export class LmdbHistories {
  /** @param current that of all entries which are added from now on. */
  constructor(
    readonly tree: Tree,
    readonly current: FeedHistory,
  ) {}

  /** Within the transaction that adds entries from `first` on to the feed of a namespace. */
  added(namespace: Uint8Array, first: Cursor): void {
    if (this.at(namespace, first) === this.current) return;
    const known = keysOf(this.tree, keysWithPrefix(namespace));
    for (const key of known.slice(0, Math.max(0, known.length + 1 - feedLimits.histories))) void this.tree.remove(key);
    void this.tree.put(cursorKey(namespace, first), feedHistoryBytes(this.current));
  }

  /** The history of a cursor up to the end of a namespace's feed; undefined at the start, and where it is not kept. */
  at(namespace: Uint8Array, cursor: Cursor): FeedHistory | undefined {
    const range = { start: cursorKey(namespace, cursor), end: cursorKey(namespace, 0), reverse: true, limit: 1 };
    const [key] = keysOf(this.tree, range);
    const record = key === undefined ? undefined : this.tree.getBinaryFast(key);
    return record === undefined ? undefined : feedHistoryOf(record);
  }
}
