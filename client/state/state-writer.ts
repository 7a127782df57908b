import type { Item, ItemPath } from '../../common/feed/item.js';
import { mergeItems } from '../../common/feed/merge.js';
import type { LocalBlockIndex } from './local-block-index.js';
import type { LocalEntry } from './local-entry.js';
import type { TreeStore } from './tree-store.js';

/** Changes of some paths that belong together. */
export interface PathChanges {
  readonly remote?: readonly Item[];
  readonly local?: readonly (readonly [ItemPath, LocalEntry | undefined])[];
  readonly synced?: readonly (readonly [ItemPath, Item | undefined])[];
  readonly offered?: readonly (readonly [ItemPath, Item | undefined])[];
}

/** Writes what many small operations find out, in transactions of as much as comes together while the last one is written. */
export class StateWriter {
  #remote = new Map<ItemPath, Item>();
  #local = new Map<ItemPath, LocalEntry | undefined>();
  #synced = new Map<ItemPath, Item | undefined>();
  #offered = new Map<ItemPath, Item | undefined>();
  #writing: Promise<void> | undefined;
  #error: { readonly thrown: unknown } | undefined;

  constructor(
    private readonly store: TreeStore,
    private readonly index: LocalBlockIndex,
  ) {}

  /** Takes changes in; those of one call become visible together, and later calls win, or are merged. */
  add({ remote = [], local = [], synced = [], offered = [] }: PathChanges): void {
    for (const item of remote) {
      const earlier = this.#remote.get(item.path);
      this.#remote.set(item.path, earlier === undefined ? item : mergeItems(earlier, item));
    }
    for (const [path, entry] of local) this.#local.set(path, entry);
    for (const [path, item] of synced) this.#synced.set(path, item);
    for (const [path, item] of offered) this.#offered.set(path, item);
    this.#writing ??= this.#write();
  }

  /** Resolves when everything taken in is visible; raises what kept it from being written. */
  async settled(): Promise<void> {
    await this.#writing;
    if (this.#error !== undefined) throw this.#error.thrown;
  }

  async #write(): Promise<void> {
    // Whatever else the caller has to say now goes along.
    await Promise.resolve();
    try {
      while (this.#remote.size + this.#local.size + this.#synced.size + this.#offered.size > 0) {
        const changes = { remote: this.#remote, local: this.#local, synced: this.#synced, offered: this.#offered };
        this.#remote = new Map();
        this.#local = new Map();
        this.#synced = new Map();
        this.#offered = new Map();
        await this.store.write(changes);
        for (const entry of changes.local.values()) if (entry !== undefined) this.index.note(entry);
      }
    } catch (thrown) {
      this.#error ??= { thrown };
    } finally {
      this.#writing = undefined;
    }
  }
}
