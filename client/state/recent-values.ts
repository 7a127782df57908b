import { clientLimits } from '../../common/limits.js';
import type { ItemPath } from '../../common/feed/item.js';

/** Values of a tree that were read or written lately: what is written is soon planned with, and read back by the feed. */
export class RecentValues<T> {
  readonly #values = new Map<ItemPath, T>();

  /** @param isSmall whether a value is worth its memory; others are read anew each time. */
  constructor(private readonly isSmall: (value: T) => boolean) {}

  get(path: ItemPath): T | undefined {
    return this.#values.get(path);
  }

  set(path: ItemPath, value: T): void {
    this.#values.delete(path);
    if (!this.isSmall(value)) return;
    if (this.#values.size >= clientLimits.recentValues) this.#dropOldest();
    this.#values.set(path, value);
  }

  delete(path: ItemPath): void {
    this.#values.delete(path);
  }

  clear(): void {
    this.#values.clear();
  }

  #dropOldest(): void {
    for (const path of this.#values.keys()) {
      this.#values.delete(path);
      return;
    }
  }
}
