import type { DeviceId } from '../ids.js';
import { settle, settleAsDirectory } from './conflicts.js';
import { type Item, type ItemPath, type ItemState, statesOf, type Version } from './item.js';
import { compareStates } from './state-order.js';
import { covers } from './version.js';

/** Whether one of the items has a state that `committer` has not made. */
export function bringsOthersChanges(committer: DeviceId, items: readonly { readonly item: Item }[]): boolean {
  return items.some(({ item }) => item.author !== committer || item.rivals.some(({ author }) => author !== committer));
}

/**
 * Tells whether an item is the committer's to bring, given the version that is held for its path. Changes of others are
 * where they are known already, and where they are what follows from the conflicts of what is `held` for the paths of the
 * same commit: anybody may settle those, and all make the same of it.
 */
export function authorship(committer: DeviceId, held: readonly Item[]): (item: Item, heldVersion: Version) => boolean {
  const settling = settlingStates(held);
  return (item, heldVersion) =>
    othersStates(committer, item).every(
      (foreign) =>
        covers(heldVersion, foreign.change) ||
        settling.get(item.path)?.some((expected) => compareStates(expected, foreign) === 0) === true,
    );
}

/** The states, by their paths, that settle these items. */
function settlingStates(held: readonly Item[]): ReadonlyMap<ItemPath, readonly ItemState[]> {
  const states = new Map<ItemPath, ItemState[]>();
  const expect = (item: Item): void => {
    states.set(item.path, [...(states.get(item.path) ?? []), ...statesOf(item)]);
  };
  for (const item of held) {
    settle(item).copies.forEach(expect);
    if (item.content.kind !== 'file' && item.content.kind !== 'symlink') continue;
    const { copies, item: directory } = settleAsDirectory(item);
    [...copies, directory].forEach(expect);
  }
  return states;
}

function othersStates(committer: DeviceId, item: Item): ItemState[] {
  return statesOf(item).filter(({ author }) => author !== committer);
}
