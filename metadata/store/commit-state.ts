import type { ItemPath } from '../../common/feed/item.js';
import type { Cursor } from '../../common/ids.js';
import {
  contentsNeeded,
  missingBlocks,
  type CommitBatch,
  type CommitState,
  type CurrentItem,
  type ItemHead,
  type NewItem,
} from '../commit/decide.js';
import type { FeedHead } from './rows.js';

/** A namespace inside a transaction, for engines that can look things up one by one at no cost. */
export interface NamespaceView {
  readonly feed: FeedHead;
  /** What the path holds. */
  head(path: ItemPath): ItemHead | undefined;
  /** The item at a place of the journal. */
  entry(cursor: Cursor): NewItem;
  /** Whether an assigned agent holds the block for this namespace. */
  isHeld(hash: Uint8Array): boolean;
}

/** What a commit of `batch` has to know of the namespace. */
export function readCommitState(view: NamespaceView, batch: CommitBatch): CommitState {
  const missing = missingBlocks(batch.items, (hash) => view.isHeld(hash));
  if (missing.length > 0) return { feed: view.feed, current: [], missing };
  const isNeeded = contentsNeeded(batch);
  const current = batch.items.map(({ item }): CurrentItem | undefined => {
    const head = view.head(item.path);
    if (head === undefined) return undefined;
    return { head, content: isNeeded(item, head.version) ? view.entry(head.cursor) : undefined };
  });
  return { feed: view.feed, current, missing };
}
