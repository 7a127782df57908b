import { sliceOf } from '../../common/feed-service/feed-slice.js';
import type { FeedQuery, FeedSlice, StoredEntry } from '../../common/feed-service/feed-source.js';
import { decodeItem } from '../../common/feed/item-codec.js';
import type { FeedHistory } from '../../common/feed/feed-history.js';
import type { ItemPath } from '../../common/feed/item.js';
import { headOf, type FeedHead, type ItemHead } from '../../common/feed/placement.js';
import type { NewItem } from '../../common/feed/push-items.js';
import { ID_BYTES, idBytes, type Cursor, type NamespaceId } from '../../common/ids.js';
import { decodeItemHead, encodeItemHead } from '../../common/store/feed-records.js';
import { cursorKey, cursorOfKey, keysWithPrefix, pathKey } from '../../common/store/keys.js';
import { copyOf, keyPage, keysOf, type LmdbEnvironment, type Tree } from '../../common/store/lmdb-environment.js';
import type { LmdbHistories } from '../../common/store/lmdb-histories.js';
import type { FeedChange, NamespaceView } from './feed-changes.js';
import { NO_PROGRESS, type FeedProgress, type ProvisionalMessage } from './feed-store.js';
import { decodeProgress, encodeProgress, type TreeName } from './lmdb-feed-layout.js';

/** One namespace of the LMDB engine, inside a transaction. */
export class LmdbFeedView implements NamespaceView {
  readonly progress: FeedProgress;
  readonly #namespace: Buffer;

  constructor(
    readonly trees: LmdbEnvironment<TreeName>['trees'],
    readonly histories: LmdbHistories,
    namespaceId: NamespaceId,
  ) {
    this.#namespace = idBytes(namespaceId);
    const record = trees.heads.getBinaryFast(this.#namespace);
    this.progress = record === undefined ? NO_PROGRESS : decodeProgress(record);
  }

  get feed(): FeedHead {
    return this.progress.feed;
  }

  /** Whether nothing but the last cursor is kept. */
  get isEmpty(): boolean {
    const { followed, waiting } = this.progress;
    return followed === 0 && waiting === 0 && this.somePaths(1).length === 0;
  }

  head(path: ItemPath): ItemHead | undefined {
    const record = this.trees.paths.getBinaryFast(pathKey(this.#namespace, path));
    return record === undefined ? undefined : decodeItemHead(record);
  }

  entry(cursor: Cursor): NewItem {
    const encoded = valueOf(this.trees.feed, cursorKey(this.#namespace, cursor));
    return { item: decodeItem(encoded), encoded };
  }

  paths(): ItemPath[] {
    return keysOf(this.trees.paths, keysWithPrefix(this.#namespace)).map(pathOfKey);
  }

  /** The first `limit` paths. */
  somePaths(limit: number): ItemPath[] {
    return keyPage(this.trees.paths, keysWithPrefix(this.#namespace), limit).rows.map(pathOfKey);
  }

  *log(): Generator<Uint8Array, void, undefined> {
    for (const key of this.#logKeys()) yield valueOf(this.trees.log, key);
  }

  firstMessage(): ProvisionalMessage | undefined {
    const [key] = keyPage(this.trees.log, keysWithPrefix(this.#namespace), 1).rows;
    return key === undefined ? undefined : { sequence: cursorOfKey(key), message: valueOf(this.trees.log, key) };
  }

  historyOf(cursor: Cursor): FeedHistory | undefined {
    return this.histories.at(this.#namespace, cursor);
  }

  slice(query: FeedQuery): FeedSlice {
    return sliceOf(this.feed.cursor, query, (limit) => this.#entriesAfter(query.after, limit));
  }

  apply({ progress, writes, forgotten, appended }: FeedChange): void {
    const { heads, feed, paths, log } = this.trees;
    const [first] = writes;
    if (first !== undefined) this.histories.added(this.#namespace, first.cursor);
    for (const write of writes) {
      void feed.put(cursorKey(this.#namespace, write.cursor), write.encoded as Buffer);
      void paths.put(pathKey(this.#namespace, write.item.path), encodeItemHead(headOf(write)));
      if (write.supersedes !== undefined) void feed.remove(cursorKey(this.#namespace, write.supersedes));
    }
    for (const { path, head } of forgotten) {
      void feed.remove(cursorKey(this.#namespace, head.cursor));
      void paths.remove(pathKey(this.#namespace, path));
    }
    if (appended !== undefined) void log.put(cursorKey(this.#namespace, progress.logged), appended as Buffer);
    void heads.put(this.#namespace, encodeProgress(progress));
  }

  removeMessage(sequence: number): void {
    const key = cursorKey(this.#namespace, sequence);
    const bytes = this.trees.log.getBinaryFast(key)?.length;
    if (bytes === undefined) return;
    void this.trees.log.remove(key);
    const { waiting, waitingBytes } = this.progress;
    this.#write({ ...this.progress, waiting: waiting - 1, waitingBytes: waitingBytes - bytes });
  }

  /** Empties the log, and notes that nothing of metadata's feed was followed. */
  startAfresh(): void {
    for (const key of this.#logKeys()) void this.trees.log.remove(key);
    this.#write({ ...NO_PROGRESS, feed: this.progress.feed, logged: this.progress.logged });
  }

  #write(progress: FeedProgress): void {
    void this.trees.heads.put(this.#namespace, encodeProgress(progress));
  }

  #logKeys(): Uint8Array[] {
    return keysOf(this.trees.log, keysWithPrefix(this.#namespace));
  }

  *#entriesAfter(after: Cursor, limit: number): Generator<StoredEntry, void, undefined> {
    const range = {
      start: cursorKey(this.#namespace, after + 1),
      end: cursorKey(this.#namespace, this.feed.cursor + 1),
    };
    for (const key of keysOf(this.trees.feed, { ...range, limit })) {
      yield { cursor: cursorOfKey(key), item: valueOf(this.trees.feed, key) };
    }
  }
}

function valueOf(tree: Tree, key: Uint8Array): Buffer {
  const shared = tree.getBinaryFast(key);
  if (shared === undefined) throw new Error('the feed store lacks an entry that it has named');
  return copyOf(shared);
}

function pathOfKey(key: Uint8Array): ItemPath {
  return Buffer.from(key).toString('utf8', ID_BYTES) as ItemPath;
}
