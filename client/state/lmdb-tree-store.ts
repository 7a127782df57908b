import { open, type Database, type RootDatabase } from 'lmdb';
import { decodeItem, encodeItem } from '../../common/feed/item-codec.js';
import type { Item, ItemPath } from '../../common/feed/item.js';
import { CURSOR_START, type Cursor, type NamespaceId } from '../../common/ids.js';
import type { LocalEntry } from './local-entry.js';
import { decodeLocalEntry, encodeLocalEntry } from './local-entry-codec.js';
import { notDominated } from './remote-changes.js';
import type { StateChanges, Tree, TreeChanges, TreeStore } from './tree-store.js';

type Bytes = Database<Buffer, Buffer>;

const SLASH = 0x2f;
const CURSOR_KEY = 'cursor';
const NAMESPACE_KEY = 'namespace';
const NAMES = { encoding: 'binary', keyEncoding: 'binary' } as const;

/** A tree whose keys are paths in UTF-8 and whose values a codec makes and reads. */
class LmdbTree<T> implements Tree<T> {
  constructor(
    readonly db: Bytes,
    private readonly encode: (value: T) => Uint8Array,
    private readonly decode: (path: ItemPath, record: Buffer) => T,
  ) {}

  get(path: ItemPath): T | undefined {
    const record = this.db.getBinary(Buffer.from(path));
    return record === undefined ? undefined : this.decode(path, record);
  }

  *pathsBelow(path: ItemPath | ''): Iterable<ItemPath> {
    // Read to the end before the first is handed out: an iterator left open would pin its snapshot.
    const range = path === '' ? {} : rangeBelow(path);
    yield* [...this.db.getKeys(range)].map((key) => key.toString() as ItemPath);
  }

  apply(changes: TreeChanges<T> | undefined): void {
    for (const [path, value] of changes ?? []) {
      const key = Buffer.from(path);
      if (value === undefined) this.db.removeSync(key);
      else this.db.putSync(key, this.encode(value) as Buffer);
    }
  }
}

/** From the first path below `path` up to, but without, the first that sorts after all of them. */
function rangeBelow(path: string): { start: Buffer; end: Buffer } {
  const start = Buffer.from(`${path}/`);
  const end = Buffer.from(start);
  end[end.length - 1] = SLASH + 1;
  return { start, end };
}

/** State in one LMDB environment; docs/storage-format.md describes it. */
class LmdbTreeStore implements TreeStore {
  readonly remote: LmdbTree<Item>;
  readonly local: LmdbTree<LocalEntry>;
  readonly synced: LmdbTree<Item>;
  readonly #root: RootDatabase<Buffer, Buffer>;
  readonly #facts: Database<string, string>;

  constructor(root: RootDatabase<Buffer, Buffer>) {
    const items = (name: string): LmdbTree<Item> =>
      new LmdbTree(root.openDB({ name, ...NAMES }), encodeItem, (_path, record) => decodeItem(record));
    this.#root = root;
    this.#facts = root.openDB({ name: 'facts', encoding: 'string' });
    this.remote = items('remote');
    this.synced = items('synced');
    this.local = new LmdbTree(root.openDB({ name: 'local', ...NAMES }), encodeLocalEntry, decodeLocalEntry);
  }

  get namespaceId(): NamespaceId | undefined {
    return this.#facts.get(NAMESPACE_KEY) as NamespaceId | undefined;
  }

  get cursor(): Cursor {
    return Number(this.#facts.get(CURSOR_KEY) ?? CURSOR_START) as Cursor;
  }

  async claim(namespaceId: NamespaceId): Promise<void> {
    await this.#facts.put(NAMESPACE_KEY, namespaceId);
    await this.#root.flushed;
  }

  async write(changes: StateChanges): Promise<void> {
    await this.#root.transaction(() => {
      if (changes.forgetRemote === true) this.remote.db.clearSync();
      this.remote.apply(notDominated(changes.remote, this.remote));
      this.local.apply(changes.local);
      this.synced.apply(changes.synced);
      if (changes.cursor !== undefined) this.#facts.putSync(CURSOR_KEY, String(changes.cursor));
    });
  }

  async close(): Promise<void> {
    await this.#root.flushed;
    await this.#root.close();
  }
}

/** Opens the state in the directory at `path`, or makes it. */
export function openLmdbTreeStore(path: string): TreeStore {
  return new LmdbTreeStore(open<Buffer, Buffer>({ path, ...NAMES, maxDbs: 8 }));
}
