import type { Item, ItemPath } from '../../common/feed/item.js';
import type { Operation } from '../plan/operation.js';
import type { TreeStore } from '../state/tree-store.js';

/**
 * What the operations of the round that is carried out are bringing into the folder. Where the namespace moves on meanwhile,
 * the state keeps what it was ({@link TreeStore.inHand}): a process that ends before its operation is noted leaves it in the
 * folder, and the next one would find it in no tree.
 */
export class InHand {
  #items: ReadonlyMap<ItemPath, Item> = new Map();

  constructor(private readonly store: TreeStore) {}

  /**
   * These operations are about to be carried out. Resolves when they may: what the folder is to be made from is durable then, where
   * they change it. After a loss of power it would otherwise hold what no tree knows, and what others made would look like its
   * user's own. Raises errors of the state.
   */
  async begin(operations: readonly Operation[]): Promise<void> {
    this.#items = new Map(
      operations.flatMap((operation) => {
        const item = broughtBy(operation);
        return item === undefined ? [] : [[item.path, item] as const];
      }),
    );
    if (operations.some(changesFolder)) await this.store.durable();
  }

  /** Of these items, by their paths, those that operations under way have in hand, as they have them. */
  among(news: ReadonlyMap<ItemPath, Item>): ReadonlyMap<ItemPath, Item> {
    if (this.#items.size === 0) return new Map();
    return new Map(
      [...news.keys()].flatMap((path) => {
        const item = this.#items.get(path);
        return item === undefined ? [] : [[path, item] as const];
      }),
    );
  }

  /** Every operation is done and noted, or was not carried out. Raises errors of the state. */
  async end(): Promise<void> {
    this.#items = new Map();
    await this.forget();
  }

  /** What an earlier process had in hand has been dealt with. Raises errors of the state. */
  async forget(): Promise<void> {
    const { store } = this;
    const kept = [...store.inHand.pathsBelow('')];
    if (kept.length > 0) await store.write({ inHand: new Map(kept.map((path) => [path, undefined])) });
  }
}

function changesFolder({ kind }: Operation): boolean {
  switch (kind) {
    case 'fetch-file':
    case 'keep-conflict':
    case 'make-directory':
    case 'make-symlink':
    case 'move':
    case 'remove':
    case 'set-attributes':
      return true;
    case 'adopt':
    case 'commit-item':
    case 'read-file':
    case 'settle':
      return false;
  }
}

function broughtBy(operation: Operation): Item | undefined {
  switch (operation.kind) {
    case 'fetch-file':
    case 'make-symlink':
    case 'move':
    case 'set-attributes':
      return operation.item;
    case 'adopt':
    case 'commit-item':
    case 'keep-conflict':
    case 'make-directory':
    case 'read-file':
    case 'remove':
    case 'settle':
      return undefined;
  }
}
