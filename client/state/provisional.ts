import { isVoid, type Item, type ItemPath } from '../../common/feed/item.js';
import { hasSeen, mergeItems, sameChange, sameItem } from '../../common/feed/merge.js';
import type { DeviceId } from '../../common/ids.js';
import type { StateChanges, TreeChanges, Trees } from './tree-store.js';

/**
 * What becomes of the provisional tree by `changes`, given the trees as they are before: what was told is noted, so is what
 * was offered and has turned up at an endpoint that is not metadata, and what metadata holds is forgotten.
 */
export function provisionalAfter(changes: StateChanges, trees: Trees): TreeChanges<Item> {
  const { heard, confirmed, provisional } = changes;
  const result = new Map<ItemPath, Item | undefined>();
  const known = (path: ItemPath): Item | undefined =>
    result.has(path) ? result.get(path) : trees.provisional.get(path);
  const note = (item: Item): void => {
    const earlier = known(item.path);
    // As it was said: what others have settled since in its favour, it would be taken to have replaced.
    if (earlier !== undefined && sameChange(earlier.change, item.change)) return;
    result.set(item.path, earlier === undefined ? item : mergeItems(earlier, item));
  };
  for (const item of heard?.values() ?? []) {
    const offer = openOffer(item.path, trees);
    if (offer !== undefined && hasSeen(item, offer)) note(offer);
  }
  for (const [path, item] of provisional ?? []) {
    if (item === undefined) result.set(path, undefined);
    else note(item);
  }
  for (const [path, item] of confirmed ?? []) {
    const told = known(path);
    if (told !== undefined && !adds(told, item)) result.set(path, undefined);
  }
  return result;
}

/**
 * Whether an item is this device's alone to tell metadata: nobody else is believed about it there. What settles a conflict is
 * made by whoever comes first; its copy of a change is told by the device that made the change.
 */
export function isOwnWord({ author, rivals }: Item, device: DeviceId): boolean {
  return author === device && rivals.length === 0;
}

/** What was said of the path, as far as nobody is known to have heard it. */
function openOffer(path: ItemPath, { offered, remote }: Trees): Item | undefined {
  const offer = offered.get(path);
  if (offer === undefined || isVoid(offer)) return undefined;
  const held = remote.get(path);
  return held !== undefined && hasSeen(held, offer) ? undefined : offer;
}

/** Whether who holds `held` would learn something from `item`. */
function adds(item: Item, held: Item): boolean {
  return !sameItem(mergeItems(held, item), held);
}
