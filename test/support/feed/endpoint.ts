import { conflictsOf, settle, settleAsDirectory, type Settlement } from '../../../common/feed/conflicts.js';
import { nextTime, TIME_START, laterTime, type HybridTime } from '../../../common/feed/hybrid-time.js';
import { statesOf, type Item, type ItemContent, type ItemPath } from '../../../common/feed/item.js';
import { itemOf, mergeItems } from '../../../common/feed/merge.js';
import { counterOf, joinVersions, NO_VERSION } from '../../../common/feed/version.js';
import type { DeviceId, ReplicaId } from '../../../common/ids.js';
import { wireLimits } from '../../../common/limits.js';

/** How items become one: the product's merge, unless a test breaks it on purpose. */
export type Merge = (a: Item, b: Item) => Item;

/** One of several who change the same items, each for itself, and now and then tell each other. */
export class Endpoint {
  readonly items = new Map<ItemPath, Item>();
  readonly replicaId: ReplicaId;
  readonly author: DeviceId;
  #latest: HybridTime = TIME_START;

  /** @param tell hears of every item that this endpoint makes. */
  constructor(
    readonly name: string,
    private readonly tell: (item: Item) => void,
    private readonly merge: Merge = mergeItems,
  ) {
    this.replicaId = name.repeat(32) as ReplicaId;
    this.author = name.repeat(32) as DeviceId;
  }

  /** Takes in what another one knows of a path. Raises an error where there are more rivals than an item may have. */
  learn(item: Item): void {
    const known = this.items.get(item.path);
    const merged = known === undefined ? item : this.merge(known, item);
    // A merge that is wrong may make more and more of them: it must be found out before the memory is full.
    if (merged.rivals.length > wireLimits.rivalsPerItem) throw new Error('more rivals than anybody has made');
    this.items.set(item.path, merged);
    for (const { at } of statesOf(item)) this.#latest = laterTime(this.#latest, at);
  }

  /** Puts other content at a path, in the place of all that this endpoint knows of it. */
  change(path: ItemPath, content: ItemContent, nowMs: number): Item {
    const seen = this.items.get(path)?.version ?? NO_VERSION;
    const change = { replicaId: this.replicaId, counter: counterOf(seen, this.replicaId) + 1 };
    const state = { change, at: nextTime(this.#latest, nowMs), author: this.author, content };
    return this.#make(itemOf(path, joinVersions(seen, [change]), [state]));
  }

  /** Settles a path where there are conflicts; with `asDirectory` also one that is a file. */
  settle(path: ItemPath, asDirectory = false): void {
    const item = this.items.get(path);
    if (item === undefined) return;
    if (asDirectory && (item.content.kind === 'file' || item.content.kind === 'symlink')) {
      this.#makeAll(settleAsDirectory(item));
    } else if (conflictsOf(item).length > 0) {
      this.#makeAll(settle(item));
    }
  }

  #makeAll({ copies, item }: Settlement): void {
    for (const one of [...copies, item]) this.#make(one);
  }

  #make(item: Item): Item {
    this.tell(item);
    this.learn(item);
    return item;
  }
}
