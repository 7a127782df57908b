import type { Cursor } from '../../common/ids.js';
import type { FeedEndpoint, StateChanges, TreeStore } from './tree-store.js';

/** Where the feeds were read up to by `changes`, given where they were before: nothing of a feed that others have read on. */
export function cursorsAfter(
  { cursor, cursorAt, cursorFrom }: StateChanges,
  store: Pick<TreeStore, 'cursorOf'>,
): (readonly [FeedEndpoint, Cursor])[] {
  const moves: (readonly [FeedEndpoint, Cursor])[] = cursor === undefined ? [] : [['metadata', cursor]];
  if (cursorAt !== undefined) moves.push(cursorAt);
  return moves.filter(([endpoint]) => cursorFrom === undefined || store.cursorOf(endpoint) === cursorFrom);
}
