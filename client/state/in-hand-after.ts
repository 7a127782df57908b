import type { Item, ItemPath } from '../../common/feed/item.js';
import type { Tree, TreeChanges } from './tree-store.js';

/** What changes in what is kept in hand: the first that is kept for a path is what its operation was about. */
export function inHandAfter(
  changes: TreeChanges<Item> | undefined,
  kept: Pick<Tree<Item>, 'get'>,
): Map<ItemPath, Item | undefined> {
  return new Map([...(changes ?? [])].filter(([path, item]) => item === undefined || kept.get(path) === undefined));
}
