import { contentsNeeded, decidePush } from '../../../common/feed/decide-push.js';
import { encodeItem } from '../../../common/feed/item-codec.js';
import type { Item, ItemPath } from '../../../common/feed/item.js';
import { EMPTY_FEED, type FeedHead, headOf, type ItemHead } from '../../../common/feed/placement.js';
import type { Cursor, DeviceId } from '../../../common/ids.js';
import type { Random } from '../../../common/random.js';
import type { CommitBatch } from '../../../metadata/commit/commit-batch.js';

/** What became of one item of a commit. */
export interface Answer {
  readonly item: Item;
  readonly held: Item | undefined;
}

/** A namespace that commits as metadata does; blocks are there without saying. */
export class SimulatedNamespace {
  readonly items = new Map<ItemPath, Item>();
  readonly #heads = new Map<ItemPath, ItemHead>();
  #feed: FeedHead = EMPTY_FEED;
  /** Messages that were sent, and whose senders have given up waiting. */
  readonly #late: (() => void)[] = [];

  commit(committer: DeviceId, items: readonly Item[]): Answer[] {
    const batch: CommitBatch = {
      items: items.map((item) => ({ item, encoded: encodeItem(item) })),
      stored: [],
      committer,
    };
    if (new Set(items.map(({ path }) => path)).size < items.length)
      throw new Error('a path comes twice in one message');
    const isNeeded = contentsNeeded(batch);
    const current = items.map(({ path, version }, index) => {
      const head = this.#heads.get(path);
      if (head === undefined) return undefined;
      const held = this.items.get(path)!;
      const content = isNeeded(items[index]!, head.version) ? { item: held, encoded: encodeItem(held) } : undefined;
      return { head, content, version };
    });
    const { writes, merged, feed } = decidePush({ feed: this.#feed, current, missing: Buffer.alloc(0) }, batch);
    for (const write of writes) {
      this.items.set(write.item.path, write.item);
      this.#heads.set(write.item.path, headOf(write));
    }
    this.#feed = feed;
    return items.map((item, index) => {
      const answer = merged.find((one) => one.index === index);
      return { item, held: answer === undefined ? item : answer.current?.item };
    });
  }

  /** A commit that arrives at some time, whose answer nobody hears. */
  commitLate(committer: DeviceId, items: readonly Item[]): void {
    this.#late.push(() => this.commit(committer, items));
  }

  /** Lets some of what is on its way arrive, in any order. */
  arrive(random: Random): void {
    for (const message of this.#late.splice(0)) {
      if (random.fraction() < 0.3) message();
      else this.#late.push(message);
    }
  }

  /** Every item as it is now, oldest change first. */
  feed(): Item[] {
    const cursorOf = ({ path }: Item): Cursor => this.#heads.get(path)!.cursor;
    return [...this.items.values()].sort((a, b) => cursorOf(a) - cursorOf(b));
  }
}
