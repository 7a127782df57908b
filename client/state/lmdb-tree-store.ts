import { open, type Database, type RootDatabase } from 'lmdb';
import { decodeItem, encodeItem } from '../../common/feed/item-codec.js';
import type { FeedHistory } from '../../common/feed/feed-history.js';
import type { Item, ItemPath } from '../../common/feed/item.js';
import { blockCount } from '../../common/feed/merge.js';
import type { Cursor, NamespaceId } from '../../common/ids.js';
import { clientLimits } from '../../common/limits.js';
import { inTransaction } from '../../common/store/lmdb-transaction.js';
import { Medium } from '../../common/store/medium.js';
import type { SyncMode } from '../progress.js';
import { MODE_KEY, NAMESPACE_KEY, noteCursor, notedCursor, openFacts, type Facts } from './lmdb-state-facts.js';
import type { LocalEntry } from './local-entry.js';
import { decodeLocalEntry, encodeLocalEntry } from './local-entry-codec.js';
import { LmdbOffers } from './lmdb-offers.js';
import { inHandAfter } from './in-hand-after.js';
import { offersAfter } from './offers.js';
import { cursorsAfter } from './cursors.js';
import { provisionalAfter } from './provisional.js';
import { RecentValues } from './recent-values.js';
import { moveRemote, RemoteWatchers } from './remote-moves.js';
import { UnwrittenValues } from './unwritten-values.js';
import { whileFull, type UntilRoom } from './until-room.js';
import type { FeedEndpoint, RemoteMove, StateChanges, Tree, TreeChanges, TreeStore } from './tree-store.js';

type Bytes = Database<Buffer, Buffer>;

const SLASH = 0x2f;
const NONCE_KEY = 'nonce';
/** What it is, as errors call it. */
const WHAT = "the folder's state in .drystone";
const NAMES = { encoding: 'binary', keyEncoding: 'binary' } as const;

/** How a tree's values are stored, and which of them are small. */
interface Codec<T> {
  encode(value: T): Uint8Array;
  decode(path: ItemPath, record: Buffer): T;
  blockCount(value: T): number;
}

/** A tree whose keys are paths in UTF-8 and whose values a codec makes and reads. */
export class LmdbTree<T> implements Tree<T> {
  readonly #recent: RecentValues<T>;
  readonly #unwritten = new UnwrittenValues<T>();

  constructor(
    private readonly db: Bytes,
    private readonly codec: Codec<T>,
  ) {
    this.#recent = new RecentValues((value) => codec.blockCount(value) <= clientLimits.recentValueBlocks);
  }

  get(path: ItemPath): T | undefined {
    const unwritten = this.#unwritten.get(path);
    if (unwritten !== undefined) return unwritten.value;
    const recent = this.#recent.get(path);
    if (recent !== undefined) return recent;
    const record = this.db.getBinary(Buffer.from(path));
    if (record === undefined) return undefined;
    const value = this.codec.decode(path, record);
    this.#recent.set(path, value);
    return value;
  }

  get count(): number {
    return (this.db.getStats() as { entryCount: number }).entryCount;
  }

  *pathsBelow(path: ItemPath | ''): Iterable<ItemPath> {
    // Read to the end before the first is handed out: an iterator left open would pin its snapshot.
    const range = path === '' ? {} : rangeBelow(path);
    yield* [...this.db.getKeys(range)].map((key) => key.toString() as ItemPath);
  }

  /** Within a transaction. */
  apply(changes: TreeChanges<T> | undefined): void {
    for (const [path, value] of changes ?? []) {
      const key = Buffer.from(path);
      this.#unwritten.set(path, value);
      if (value === undefined) {
        this.#recent.delete(path);
        this.db.removeSync(key);
      } else {
        this.#recent.set(path, value);
        this.db.putSync(key, this.codec.encode(value) as Buffer);
      }
    }
  }

  /** Within a transaction. */
  clear(): void {
    this.forgetRecent();
    this.db.clearSync();
  }

  /** A transaction begins, of this number; numbers ascend. */
  begin(transaction: number): void {
    this.#unwritten.begin(transaction);
  }

  /** The transaction of this number is committed. */
  written(transaction: number): void {
    this.#unwritten.written(transaction);
  }

  /** A transaction failed: what it wrote is not there. */
  forgetRecent(): void {
    this.#recent.clear();
    this.#unwritten.clear();
  }
}

/** From the first path below `path` up to, but without, the first that sorts after all of them. */
function rangeBelow(path: string): { start: Buffer; end: Buffer } {
  const start = Buffer.from(`${path}/`);
  const end = Buffer.from(start);
  end[end.length - 1] = SLASH + 1;
  return { start, end };
}

/** How entries of the local tree are stored. */
export const localEntryCodec: Codec<LocalEntry> = {
  encode: encodeLocalEntry,
  decode: decodeLocalEntry,
  blockCount: (entry) => (entry.kind === 'file' ? (entry.blocks?.sizes.length ?? 0) : 0),
};

/** Items; one that enters two trees at once is encoded once, one that is read from two of them in succession decoded once. */
export function itemCodec(): Codec<Item> & ConstructorParameters<typeof LmdbOffers>[1] {
  const encoded = new WeakMap<Item, Uint8Array>();
  let last: { readonly record: Buffer; readonly item: Item } | undefined;
  return {
    encode(item) {
      const known = encoded.get(item) ?? encodeItem(item);
      encoded.set(item, known);
      return known;
    },
    decode(_path, record) {
      if (last?.record.equals(record) !== true) last = { record, item: decodeItem(record) };
      return last.item;
    },
    blockCount,
  };
}

/** State in one LMDB environment; docs/storage-format.md describes it. */
class LmdbTreeStore implements TreeStore {
  readonly remote: LmdbTree<Item>;
  readonly local: LmdbTree<LocalEntry>;
  readonly synced: LmdbTree<Item>;
  readonly offered: LmdbOffers;
  readonly #root: RootDatabase<Buffer, Buffer>;
  readonly provisional: LmdbTree<Item>;
  readonly inHand: LmdbTree<Item>;
  readonly #facts: Facts;
  readonly #watchers = new RemoteWatchers();
  #transactions = 0;

  constructor(
    root: RootDatabase<Buffer, Buffer>,
    private readonly medium: Medium,
    private readonly untilRoom: UntilRoom,
  ) {
    const db = (name: string): Bytes => root.openDB({ name, ...NAMES });
    const items = itemCodec();
    this.#root = root;
    this.#facts = openFacts(root);
    this.remote = new LmdbTree(db('remote'), items);
    this.synced = new LmdbTree(db('synced'), items);
    this.offered = new LmdbOffers(db('offered'), items, this.synced);
    this.provisional = new LmdbTree(db('provisional'), items);
    this.inHand = new LmdbTree(db('in-hand'), items);
    this.local = new LmdbTree(db('local'), localEntryCodec);
  }

  get namespaceId(): NamespaceId | undefined {
    return this.#facts.get(NAMESPACE_KEY) as NamespaceId | undefined;
  }

  get cursor(): Cursor {
    return this.cursorOf('metadata');
  }

  cursorOf(endpoint: FeedEndpoint): Cursor {
    return notedCursor(this.#facts, endpoint).cursor;
  }

  historyOf(endpoint: FeedEndpoint): FeedHistory | undefined {
    return notedCursor(this.#facts, endpoint).history;
  }

  get provisionalCount(): number {
    return this.provisional.count;
  }

  get nonce(): string | undefined {
    return this.#facts.get(NONCE_KEY);
  }

  async claim(namespaceId: NamespaceId, nonce: string): Promise<void> {
    await this.#transact(() => {
      this.#facts.putSync(NAMESPACE_KEY, namespaceId);
      this.#facts.putSync(NONCE_KEY, nonce);
      this.offered.clear();
    });
  }

  async write(changes: StateChanges): Promise<void> {
    const moved = await this.#transact(() => {
      if (changes.forgetRemote === true) this.remote.clear();
      this.provisional.apply(provisionalAfter(changes, this));
      const result = moveRemote(changes, this.remote);
      this.local.apply(changes.local);
      this.synced.apply(changes.synced);
      this.offered.apply(offersAfter(changes.synced, this));
      this.offered.apply(changes.offered);
      this.inHand.apply(inHandAfter(changes.inHand, this.inHand));
      for (const move of cursorsAfter(changes, this)) noteCursor(this.#facts, move);
      return result;
    });
    this.#watchers.tell(moved);
  }

  /** Resolves at once: a write is synced before it resolves. */
  durable(): Promise<void> {
    return Promise.resolve();
  }

  onRemoteMoved(listener: (moved: RemoteMove) => void): void {
    this.#watchers.add(listener);
  }

  async noteMode(mode: SyncMode): Promise<void> {
    await this.#transact(() => this.#facts.putSync(MODE_KEY, mode));
  }

  async close(): Promise<void> {
    await this.#root.close();
  }

  #transact<T>(work: () => T): Promise<T> {
    return whileFull(this.untilRoom, async () => {
      const trees = [this.remote, this.local, this.synced, this.provisional, this.inHand];
      let transaction = 0;
      try {
        const result = await inTransaction(this.#root, this.medium, () => {
          transaction = ++this.#transactions;
          for (const tree of trees) tree.begin(transaction);
          return work();
        });
        for (const tree of trees) tree.written(transaction);
        return result;
      } catch (thrown) {
        for (const tree of trees) tree.forgetRecent();
        this.offered.reload();
        throw thrown;
      }
    });
  }
}

/**
 * Opens the state in the directory at `path`, or makes it. Where its disk is full a change waits for `untilRoom`, and so does
 * whoever makes it; unless it is given the change fails at once, with RESOURCE_EXHAUSTED (DISK_FULL).
 */
export function openLmdbTreeStore(path: string, untilRoom: UntilRoom = (full) => Promise.reject(full)): TreeStore {
  // With syncs that come after their commit, whoever waits for one (`flushed`, and closing) waits for ever where that commit failed.
  const syncs = { eventTurnBatching: false, overlappingSync: false };
  const root = open<Buffer, Buffer>({ path, ...NAMES, maxDbs: 8, ...syncs });
  return new LmdbTreeStore(root, new Medium(WHAT, path), untilRoom);
}
