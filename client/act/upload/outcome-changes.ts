import type { Item } from '../../../common/feed/item.js';
import { itemOf } from '../../../common/feed/merge.js';
import type { DeviceId } from '../../../common/ids.js';
import { live } from '../../plan/difference.js';
import type { CommitItem } from '../../plan/operation.js';
import { isOwnWord } from '../../state/provisional.js';
import type { PathChanges } from '../../state/state-writer.js';

/** What the trees say of a change that the upstream has taken; `held` is what its path holds there. */
export function takenChanges({ isPast }: CommitItem, item: Item, held: Item, isProvisional: boolean): PathChanges {
  const { path } = item;
  const heard = isProvisional ? { provisional: [[path, item] as const] } : { confirmed: [held] };
  return { ...heard, remote: [held], synced: isPast === true ? [] : [[path, live(item)]] };
}

/** What they say of the item that settles a conflict, and that the upstream has taken. */
export function settledChanges(held: Item, isProvisional: boolean): PathChanges {
  return isProvisional ? { remote: [held] } : { remote: [held], confirmed: [held] };
}

/**
 * What they say of a copy that goes with it, and that the upstream of `device` has taken: its author tells metadata, should the
 * agent not. What stands is no such word of its author: by its version the other sides are gone, and to metadata, which has not
 * their copies yet, they would be.
 */
export function copiedChanges(copy: Item, held: Item, isProvisional: boolean, device: DeviceId): PathChanges {
  const isToBeTold = isProvisional && isOwnWord(copy, device);
  return { ...settledChanges(held, isProvisional), provisional: isToBeTold ? [[copy.path, copy]] : [] };
}

/** What they say of a change that it did not take. */
export function declinedChanges(
  { isProvisional, isPast }: CommitItem,
  item: Item,
  held: Item | undefined,
): PathChanges {
  if (isPast === true) return { corrected: [[item.path, held]], provisional: [[item.path, undefined]] };
  return isProvisional === true ? takenBackChanges(item, held) : refusedChanges(item, held);
}

function refusedChanges({ path }: Item, held: Item | undefined): PathChanges {
  return { remote: held === undefined ? [] : [held], offered: [[path, undefined]] };
}

/**
 * The same where an agent had taken it and metadata does not: then the namespace never had it, and nothing was agreed. Its
 * number is not given again.
 */
function takenBackChanges({ path, version }: Item, held: Item | undefined): PathChanges {
  return {
    corrected: [[path, held]],
    synced: [[path, undefined]],
    provisional: [[path, undefined]],
    offered: [[path, itemOf(path, version, [])]],
  };
}
