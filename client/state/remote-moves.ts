import type { Item, ItemPath } from '../../common/feed/item.js';
import { mergedChanges } from './merged-changes.js';
import type { RemoteMove, StateChanges, Tree, TreeChanges } from './tree-store.js';

/** The remote tree, as an engine changes it. */
export interface ChangingTree extends Tree<Item> {
  apply(changes: TreeChanges<Item> | undefined): void;
}

/** Takes into the remote tree, which was emptied before where that is asked for, what `changes` say of it. */
export function moveRemote({ forgetRemote, remote, heard, corrected }: StateChanges, tree: ChangingTree): RemoteMove {
  const paths: ItemPath[] = [];
  const apply = (changes: TreeChanges<Item> | undefined): void => {
    tree.apply(changes);
    paths.push(...(changes?.keys() ?? []));
  };
  apply(mergedChanges(remote, tree));
  apply(mergedChanges(heard, tree));
  apply(corrected);
  return { isEmptied: forgetRemote === true, paths };
}

/** Those who want to hear of moves of the remote tree. */
export class RemoteWatchers {
  readonly #listeners: ((moved: RemoteMove) => void)[] = [];

  /** See `TreeStore.onRemoteMoved`. */
  add(listener: (moved: RemoteMove) => void): void {
    this.#listeners.push(listener);
  }

  /** A write that did this is visible. */
  tell(moved: RemoteMove): void {
    if (!moved.isEmptied && moved.paths.length === 0) return;
    for (const listener of this.#listeners) listener(moved);
  }
}
