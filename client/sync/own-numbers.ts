import { DrystoneError } from '../../common/errors.js';
import { isVoid, type Item } from '../../common/feed/item.js';
import { collide } from '../../common/feed/merge.js';
import { counterOf } from '../../common/feed/version.js';
import type { ReplicaId } from '../../common/ids.js';
import type { TreeStore } from '../state/tree-store.js';

/** What a folder knows of its own changes. */
export type OwnWords = Pick<TreeStore, 'remote' | 'synced' | 'offered' | 'provisional'>;

/**
 * Raises FAILED_PRECONDITION (STATE_NOT_ALONE) where one of `items`, as somebody else tells them, has a change of `replica` that
 * the folder's state does not know, or knows with other content. A change is noted here, durably, before anybody hears of it: so
 * the state is an older copy of one that went on, brought back from a backup, or one of two that go on at the same time.
 * Whoever gave his next change the next number would say that it was made in the knowledge of those, which would be gone.
 */
export function checkOwnNumbers(items: Iterable<Item>, replica: ReplicaId, words: OwnWords): void {
  for (const item of items) {
    const counter = counterOf(item.version, replica);
    if (counter === 0 || isKnown(item, counter, replica, words)) continue;
    const message = `the folder's state is an older copy, or one of two: ${item.path} has a change of this folder that it does not know`;
    throw new DrystoneError('FAILED_PRECONDITION', 'STATE_NOT_ALONE', message);
  }
}

function isKnown(item: Item, counter: number, replica: ReplicaId, words: OwnWords): boolean {
  const { path } = item;
  const offer = words.offered.get(path);
  if (offer !== undefined && !isVoid(offer) && collide(item, offer)) return false;
  const known = [words.remote.get(path), words.synced.get(path), offer, words.provisional.get(path)];
  return known.some((mine) => mine !== undefined && counterOf(mine.version, replica) >= counter);
}
