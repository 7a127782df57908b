import type { StoreChange } from './contract.js';

/** Who is told of a store's changes. */
export class ChangeListeners {
  readonly #listeners = new Set<(change: StoreChange) => void>();

  /** Returns what ends it. */
  add(listener: (change: StoreChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(change: StoreChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
