import type { Item, ItemPath } from '../../common/feed/item.js';
import { mergeItems } from '../../common/feed/merge.js';
import type { LocalBlockIndex } from './local-block-index.js';
import type { LocalEntry } from './local-entry.js';
import type { StateChanges, TreeStore } from './tree-store.js';

/** Changes of some paths that belong together. */
export interface PathChanges {
  readonly remote?: readonly Item[];
  readonly local?: readonly (readonly [ItemPath, LocalEntry | undefined])[];
  readonly synced?: readonly (readonly [ItemPath, Item | undefined])[];
  readonly offered?: readonly (readonly [ItemPath, Item | undefined])[];
  /** As in {@link StateChanges}. */
  readonly confirmed?: readonly Item[];
  readonly corrected?: readonly (readonly [ItemPath, Item | undefined])[];
  readonly provisional?: readonly (readonly [ItemPath, Item | undefined])[];
}

/** Writes what many small operations find out, in transactions of as much as comes together while the last one is written. */
export class StateWriter {
  #gathered = new GatheredChanges();
  #writing: Promise<void> | undefined;
  #error: { readonly thrown: unknown } | undefined;

  constructor(
    private readonly store: TreeStore,
    private readonly index: LocalBlockIndex,
  ) {}

  /** Takes changes in; those of one call become visible together, and later calls win, or are merged. */
  add(changes: PathChanges): void {
    this.#gathered.add(changes);
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
      while (!this.#gathered.isEmpty) {
        const changes = this.#gathered;
        this.#gathered = new GatheredChanges();
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

/** Changes that came together. */
class GatheredChanges implements StateChanges {
  readonly remote = new Map<ItemPath, Item>();
  readonly local = new Map<ItemPath, LocalEntry | undefined>();
  readonly synced = new Map<ItemPath, Item | undefined>();
  readonly offered = new Map<ItemPath, Item | undefined>();
  readonly confirmed = new Map<ItemPath, Item>();
  readonly corrected = new Map<ItemPath, Item | undefined>();
  readonly provisional = new Map<ItemPath, Item | undefined>();

  get isEmpty(): boolean {
    const { remote, local, synced, offered, confirmed, corrected, provisional } = this;
    return [remote, local, synced, offered, confirmed, corrected, provisional].every(({ size }) => size === 0);
  }

  add(changes: PathChanges): void {
    const {
      remote = [],
      local = [],
      synced = [],
      offered = [],
      confirmed = [],
      corrected = [],
      provisional = [],
    } = changes;
    for (const item of remote) mergeInto(this.remote, item);
    for (const item of confirmed) mergeInto(this.confirmed, item);
    for (const [path, entry] of local) this.local.set(path, entry);
    for (const [path, item] of synced) this.synced.set(path, item);
    for (const [path, item] of offered) this.offered.set(path, item);
    for (const [path, item] of corrected) this.corrected.set(path, item);
    for (const [path, item] of provisional) {
      if (item === undefined) this.provisional.set(path, undefined);
      else mergeInto(this.provisional, item);
    }
  }
}

function mergeInto(items: Map<ItemPath, Item> | Map<ItemPath, Item | undefined>, item: Item): void {
  const earlier = items.get(item.path);
  items.set(item.path, earlier === undefined ? item : mergeItems(earlier, item));
}
