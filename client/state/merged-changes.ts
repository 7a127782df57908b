import type { Item, ItemPath } from '../../common/feed/item.js';
import { mergeItems } from '../../common/feed/merge.js';
import type { Tree } from './tree-store.js';

/**
 * What the remote tree says once it has heard of these items, where that is something new. Answers to commits and pages of
 * the feed reach a client in any order: what it knows of the namespace must not fall back.
 */
export function mergedChanges(items: ReadonlyMap<ItemPath, Item> | undefined, remote: Tree<Item>): Map<ItemPath, Item> {
  const result = new Map<ItemPath, Item>();
  for (const [path, item] of items ?? []) {
    const known = remote.get(path);
    const merged = known === undefined ? item : mergeItems(known, item);
    if (merged !== known) result.set(path, merged);
  }
  return result;
}
