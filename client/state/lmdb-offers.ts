import type { Database } from 'lmdb';
import type { Item, ItemPath } from '../../common/feed/item.js';
import { coversAll } from '../../common/feed/version.js';
import type { Tree, TreeChanges } from './tree-store.js';

const LENGTH_BYTES = 4;
const KEY_BYTES = 8;

/** How an item is stored. */
interface ItemCodec {
  encode(item: Item): Uint8Array;
  decode(path: ItemPath | undefined, record: Buffer): Item;
}

/** An offer and the record that it is in. */
interface Offered {
  readonly item: Item;
  readonly record: number;
}

/**
 * The offered tree. It is small and short-lived: in memory, and on disk in records of what was offered at once, each of which
 * goes when nothing in it is open any more. What such a record still says of others by then, `synced` knows better.
 */
export class LmdbOffers implements Pick<Tree<Item>, 'get'> {
  readonly #offers = new Map<ItemPath, Offered>();
  /** How many offers of a record are open. */
  readonly #open = new Map<number, number>();
  #nextRecord = 1;

  constructor(
    private readonly db: Database<Buffer, Buffer>,
    private readonly codec: ItemCodec,
    private readonly synced: Pick<Tree<Item>, 'get'>,
  ) {
    this.reload();
  }

  get(path: ItemPath): Item | undefined {
    return this.#offers.get(path)?.item;
  }

  /** Within a transaction. */
  apply(changes: TreeChanges<Item> | undefined): void {
    if (changes === undefined || changes.size === 0) return;
    const items = [...changes.values()].filter((item) => item !== undefined);
    if (items.length > 0) this.#addRecord(items);
    for (const [path, item] of changes) if (item === undefined) this.#remove(path);
  }

  /** Within a transaction. */
  clear(): void {
    this.#offers.clear();
    this.#open.clear();
    this.db.clearSync();
  }

  /** Takes up what is on disk: at the beginning, and when a transaction has failed. */
  reload(): void {
    this.#offers.clear();
    this.#open.clear();
    for (const { key, value } of [...this.db.getRange()]) {
      const record = Number(key.readBigUInt64BE());
      this.#nextRecord = Math.max(this.#nextRecord, record + 1);
      this.#open.set(record, 0);
      for (const item of this.#itemsOf(value)) {
        if (!this.#isSettled(item)) this.#note(item, record);
      }
    }
  }

  #isSettled({ path, version }: Item): boolean {
    const agreed = this.synced.get(path);
    return agreed !== undefined && coversAll(agreed.version, version);
  }

  #addRecord(items: readonly Item[]): void {
    const parts: Uint8Array[] = [];
    for (const item of items) {
      const encoded = this.codec.encode(item);
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt32BE(encoded.length);
      parts.push(length, encoded);
    }
    const record = this.#nextRecord++;
    this.db.putSync(keyOf(record), Buffer.concat(parts));
    this.#open.set(record, 0);
    for (const item of items) this.#note(item, record);
  }

  #note(item: Item, record: number): void {
    this.#open.set(record, (this.#open.get(record) ?? 0) + 1);
    this.#remove(item.path);
    this.#offers.set(item.path, { item, record });
  }

  #remove(path: ItemPath): void {
    const offered = this.#offers.get(path);
    if (offered === undefined) return;
    this.#offers.delete(path);
    const left = (this.#open.get(offered.record) ?? 1) - 1;
    this.#open.set(offered.record, left);
    if (left > 0) return;
    this.#open.delete(offered.record);
    this.db.removeSync(keyOf(offered.record));
  }

  *#itemsOf(value: Buffer): Iterable<Item> {
    for (let offset = 0; offset < value.length;) {
      const start = offset + LENGTH_BYTES;
      offset = start + value.readUInt32BE(offset);
      yield this.codec.decode(undefined, value.subarray(start, offset));
    }
  }
}

function keyOf(record: number): Buffer {
  const key = Buffer.alloc(KEY_BYTES);
  key.writeBigUInt64BE(BigInt(record));
  return key;
}
