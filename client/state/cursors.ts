import type { FeedHistory } from '../../common/feed/feed-history.js';
import type { Cursor } from '../../common/ids.js';
import type { FeedEndpoint, StateChanges, TreeStore } from './tree-store.js';

/** How far the feed of an endpoint was read. */
export interface CursorMove {
  readonly endpoint: FeedEndpoint;
  readonly cursor: Cursor;
  /** What came with the cursor; undefined where nothing did. */
  readonly history: FeedHistory | undefined;
}

/** Where the feeds were read up to by `changes`, given where they were before: nothing of a feed that others have read on. */
export function cursorsAfter(
  { cursor, history, cursorAt, cursorFrom }: StateChanges,
  store: Pick<TreeStore, 'cursorOf'>,
): CursorMove[] {
  const moves: CursorMove[] = cursor === undefined ? [] : [{ endpoint: 'metadata', cursor, history }];
  if (cursorAt !== undefined) {
    const [endpoint, at, itsHistory] = cursorAt;
    moves.push({ endpoint, cursor: at, history: itsHistory });
  }
  return moves.filter(({ endpoint }) => cursorFrom === undefined || store.cursorOf(endpoint) === cursorFrom);
}
