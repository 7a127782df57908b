import type { FeedHistory } from '../../common/feed/feed-history.js';
import type { Item, ItemPath } from '../../common/feed/item.js';
import { isAtOrBelow } from '../../common/feed/paths.js';
import { CURSOR_START, type Cursor, type NamespaceId } from '../../common/ids.js';
import type { SyncMode } from '../progress.js';
import type { LocalEntry } from './local-entry.js';
import { offersAfter } from './offers.js';
import { cursorsAfter, type CursorMove } from './cursors.js';
import { provisionalAfter } from './provisional.js';
import { inHandAfter } from './in-hand-after.js';
import { moveRemote, RemoteWatchers } from './remote-moves.js';
import type { FeedEndpoint, RemoteMove, StateChanges, Tree, TreeChanges, TreeStore } from './tree-store.js';

/** A tree in memory; listing costs a pass over all of it. */
class MemoryTree<T> implements Tree<T> {
  readonly #values = new Map<ItemPath, T>();

  get(path: ItemPath): T | undefined {
    return this.#values.get(path);
  }

  pathsBelow(path: ItemPath | ''): Iterable<ItemPath> {
    const below = [...this.#values.keys()].filter((candidate) => candidate !== path && isAtOrBelow(candidate, path));
    return below.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }

  apply(changes: TreeChanges<T> | undefined): void {
    for (const [path, value] of changes ?? []) {
      if (value === undefined) this.#values.delete(path);
      else this.#values.set(path, value);
    }
  }

  clear(): void {
    this.#values.clear();
  }
}

/** State that ends with the process, for tests. */
export class MemoryTreeStore implements TreeStore {
  readonly remote = new MemoryTree<Item>();
  readonly local = new MemoryTree<LocalEntry>();
  readonly synced = new MemoryTree<Item>();
  readonly offered = new MemoryTree<Item>();
  readonly provisional = new MemoryTree<Item>();
  readonly inHand = new MemoryTree<Item>();
  readonly #watchers = new RemoteWatchers();
  readonly #cursors = new Map<FeedEndpoint, CursorMove>();
  namespaceId: NamespaceId | undefined;
  nonce: string | undefined;
  mode: SyncMode | undefined;

  get cursor(): Cursor {
    return this.cursorOf('metadata');
  }

  cursorOf(endpoint: FeedEndpoint): Cursor {
    return this.#cursors.get(endpoint)?.cursor ?? CURSOR_START;
  }

  historyOf(endpoint: FeedEndpoint): FeedHistory | undefined {
    return this.#cursors.get(endpoint)?.history;
  }

  get provisionalCount(): number {
    return [...this.provisional.pathsBelow('')].length;
  }

  claim(namespaceId: NamespaceId, nonce: string): Promise<void> {
    this.namespaceId = namespaceId;
    this.nonce = nonce;
    this.offered.clear();
    return Promise.resolve();
  }

  write(changes: StateChanges): Promise<void> {
    if (changes.forgetRemote === true) this.remote.clear();
    this.provisional.apply(provisionalAfter(changes, this));
    const moved = moveRemote(changes, this.remote);
    this.local.apply(changes.local);
    this.synced.apply(changes.synced);
    this.offered.apply(offersAfter(changes.synced, this));
    this.offered.apply(changes.offered);
    this.inHand.apply(inHandAfter(changes.inHand, this.inHand));
    for (const move of cursorsAfter(changes, this)) this.#cursors.set(move.endpoint, move);
    this.#watchers.tell(moved);
    return Promise.resolve();
  }

  durable(): Promise<void> {
    return Promise.resolve();
  }

  onRemoteMoved(listener: (moved: RemoteMove) => void): void {
    this.#watchers.add(listener);
  }

  noteMode(mode: SyncMode): Promise<void> {
    this.mode = mode;
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
