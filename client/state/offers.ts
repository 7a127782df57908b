import { isVoid, type Item, type ItemPath } from '../../common/feed/item.js';
import { itemOf } from '../../common/feed/merge.js';
import { coversAll } from '../../common/feed/version.js';
import type { TreeChanges, Trees } from './tree-store.js';

/**
 * What is to be remembered of offers once the synced tree has moved on from what the folder was made from when they were
 * made: nothing where the namespace knows of them; otherwise the number that was given, which must not be given again.
 */
export function offersAfter(
  synced: TreeChanges<Item> | undefined,
  { remote, offered }: Pick<Trees, 'remote' | 'offered'>,
): Map<ItemPath, Item | undefined> {
  const changes = new Map<ItemPath, Item | undefined>();
  for (const path of synced?.keys() ?? []) {
    const offer = offered.get(path);
    if (offer !== undefined) changes.set(path, afterSync(offer, remote.get(path)));
  }
  return changes;
}

function afterSync(offer: Item, remote: Item | undefined): Item | undefined {
  if (remote !== undefined && coversAll(remote.version, offer.version)) return undefined;
  return isVoid(offer) ? offer : itemOf(offer.path, offer.version, []);
}
