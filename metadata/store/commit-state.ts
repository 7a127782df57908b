import { readCurrent, type FeedState, type FeedView } from '../../common/feed/decide-push.js';
import { missingBlocks } from '../../common/feed/named-blocks.js';
import type { CommitBatch } from '../commit/commit-batch.js';

/** A namespace inside a transaction, and where its blocks are. */
export interface NamespaceView extends FeedView {
  /** Whether an assigned agent holds the block for this namespace. */
  isHeld(hash: Uint8Array): boolean;
}

/** What a commit of `batch` has to know of the namespace. */
export function readCommitState(view: NamespaceView, batch: CommitBatch): FeedState {
  const missing = missingBlocks(batch.items, (hash) => view.isHeld(hash));
  return { feed: view.feed, current: missing.length > 0 ? [] : readCurrent(view, batch), missing };
}
