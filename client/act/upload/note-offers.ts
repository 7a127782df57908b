import type { Item, ItemPath } from '../../../common/feed/item.js';
import type { LocalBlockIndex } from '../../state/local-block-index.js';
import type { LocalEntry } from '../../state/local-entry.js';
import type { TreeStore } from '../../state/tree-store.js';
import type { ReadyItem } from './pending-item.js';

/**
 * Writes down which changes of this folder are about to be sent, and what the folder held. Where the answer is lost, with
 * the line or with this process, the namespace's items tell later whether they were accepted, and until then they can be
 * sent again as they were: one change stays one change. Resolves when it is durable: a number that was given and forgotten would
 * be given again, to another change.
 */
export async function noteOffers(items: readonly ReadyItem[], store: TreeStore, index: LocalBlockIndex): Promise<void> {
  const offered = new Map<ItemPath, Item>();
  const local = new Map<ItemPath, LocalEntry>();
  for (const { operation, item, entry } of items) {
    // What settles a conflict is the same whoever sends it, and how often; what is past is provisional, and the folder was not
    // made from it.
    if (operation.kind === 'settle' || operation.isPast === true) continue;
    offered.set(item.path, item);
    if (entry !== undefined) local.set(item.path, entry);
  }
  if (offered.size === 0) return;
  await store.write({ offered, local });
  await store.durable();
  for (const entry of local.values()) index.note(entry);
}
