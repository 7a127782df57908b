import type { Item, ItemPath } from '../../common/feed/item.js';
import { compareVersions } from '../../common/feed/version.js';
import type { Tree } from './tree-store.js';

/**
 * The items that say something newer than the remote tree, or something else at the same time. Answers to commits and
 * pages of the feed reach a client in any order: what it knows of the namespace must not fall back.
 */
export function notDominated(items: ReadonlyMap<ItemPath, Item> | undefined, remote: Tree<Item>): Map<ItemPath, Item> {
  const result = new Map<ItemPath, Item>();
  for (const [path, item] of items ?? []) {
    const known = remote.get(path);
    if (known === undefined || compareVersions(item.version, known.version) !== 'dominated') result.set(path, item);
  }
  return result;
}
