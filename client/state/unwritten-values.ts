import type { ItemPath } from '../../common/feed/item.js';

/**
 * What transactions have made of a tree whose commit is under way. Until it is done the database answers as it did before them,
 * also where another tree, or one in memory, has moved on with them: what is read must not be half of a change.
 */
export class UnwrittenValues<T> {
  /** In the order in which they were made. */
  readonly #values = new Map<ItemPath, { readonly value: T | undefined; readonly transaction: number }>();
  #transaction = 0;

  /** What comes now is made by this transaction; numbers ascend. */
  begin(transaction: number): void {
    this.#transaction = transaction;
  }

  /** @param value undefined where the path was removed */
  set(path: ItemPath, value: T | undefined): void {
    this.#values.delete(path);
    this.#values.set(path, { value, transaction: this.#transaction });
  }

  /** Undefined where no transaction has touched the path. */
  get(path: ItemPath): { readonly value: T | undefined } | undefined {
    return this.#values.size === 0 ? undefined : this.#values.get(path);
  }

  /** This transaction is committed, and so are all before it. */
  written(transaction: number): void {
    for (const [path, made] of this.#values) {
      if (made.transaction > transaction) return;
      this.#values.delete(path);
    }
  }

  clear(): void {
    this.#values.clear();
  }
}
