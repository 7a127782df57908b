import { InFlightGate } from '../../common/concurrency/in-flight-gate.js';
import { sliceOf } from '../../common/feed-service/feed-slice.js';
import type { FeedQuery, FeedSlice, StoredEntry } from '../../common/feed-service/feed-source.js';
import type { PushDecision } from '../../common/feed/decide-push.js';
import type { ItemPath } from '../../common/feed/item.js';
import { newFeedHistory, type FeedHistory } from '../../common/feed/feed-history.js';
import { headOf, type FeedHead, type ItemHead } from '../../common/feed/placement.js';
import type { NewItem } from '../../common/feed/push-items.js';
import { CURSOR_START, type Cursor, type NamespaceId } from '../../common/ids.js';
import { systemRandom, type Random } from '../../common/random.js';
import { changeByFollowing, changeByPush, type FeedChange, type NamespaceView } from './feed-changes.js';
import {
  NO_PROGRESS,
  type FeedProgress,
  type FeedStore,
  type FeedStoreStats,
  type FollowedPart,
  type ProvisionalMessage,
  type ProvisionalPush,
} from './feed-store.js';

/** A store that forgets everything when the process ends: for tests and simulations. */
export class MemoryFeedStore implements FeedStore {
  readonly #namespaces = new Map<NamespaceId, MemoryFeed>();
  readonly #listeners: ((namespaceId: NamespaceId, cursor: Cursor) => void)[] = [];
  readonly #gate = new InFlightGate('the feed store');
  /** Of all entries of all feeds. */
  readonly #history: FeedHistory;

  constructor(random: Random = systemRandom) {
    this.#history = newFeedHistory(random);
  }

  progress(namespaceId: NamespaceId): Promise<FeedProgress> {
    return this.#run(() => this.#of(namespaceId).progress);
  }

  feedHead(namespaceId: NamespaceId): Promise<FeedHead> {
    return this.#run(() => this.#of(namespaceId).feed);
  }

  readFeed(namespaceId: NamespaceId, query: FeedQuery): Promise<FeedSlice> {
    return this.#run(() => this.#of(namespaceId).slice(query));
  }

  historyOf(_namespaceId: NamespaceId, cursor: Cursor): Promise<FeedHistory | undefined> {
    return this.#run(() => (cursor === CURSOR_START ? undefined : this.#history));
  }

  follow(namespaceId: NamespaceId, part: FollowedPart): Promise<FeedHead> {
    return this.#run(() => {
      const feed = this.#of(namespaceId);
      this.#apply(namespaceId, changeByFollowing(feed, part));
      return feed.feed;
    });
  }

  push(namespaceId: NamespaceId, push: ProvisionalPush): Promise<PushDecision> {
    return this.#run(() => {
      const { decision, change } = changeByPush(this.#of(namespaceId), push);
      if (change !== undefined) this.#apply(namespaceId, change);
      return decision;
    });
  }

  firstProvisional(namespaceId: NamespaceId): Promise<ProvisionalMessage | undefined> {
    return this.#run(() => this.#of(namespaceId).messages[0]);
  }

  removeProvisional(namespaceId: NamespaceId, sequence: number): Promise<void> {
    return this.#run(() => this.#of(namespaceId).remove(sequence));
  }

  drop(namespaceId: NamespaceId): Promise<void> {
    return this.#run(() => {
      const { feed, logged } = this.#of(namespaceId).progress;
      const last = { ...NO_PROGRESS, feed: { ...NO_PROGRESS.feed, cursor: feed.cursor }, logged };
      this.#namespaces.set(namespaceId, new MemoryFeed(last));
    });
  }

  namespaces(): Promise<readonly NamespaceId[]> {
    return this.#run(() => this.#kept().sort());
  }

  stats(): Promise<FeedStoreStats> {
    return this.#run(() => {
      const all = [...this.#namespaces.values()].map(({ progress }) => progress);
      return {
        namespaces: this.#kept().length,
        items: all.reduce((sum, { feed }) => sum + feed.itemCount, 0),
        provisionalMessages: all.reduce((sum, { waiting }) => sum + waiting, 0),
      };
    });
  }

  onMoved(listener: (namespaceId: NamespaceId, cursor: Cursor) => void): void {
    this.#listeners.push(listener);
  }

  close(): Promise<void> {
    return this.#gate.close(() => Promise.resolve());
  }

  #run<T>(work: () => T): Promise<T> {
    return this.#gate.run(async () => work());
  }

  #of(namespaceId: NamespaceId): MemoryFeed {
    const known = this.#namespaces.get(namespaceId) ?? new MemoryFeed(NO_PROGRESS);
    this.#namespaces.set(namespaceId, known);
    return known;
  }

  #kept(): NamespaceId[] {
    return [...this.#namespaces].filter(([, feed]) => !feed.isEmpty).map(([id]) => id);
  }

  #apply(namespaceId: NamespaceId, change: FeedChange): void {
    this.#of(namespaceId).apply(change);
    if (change.writes.length === 0) return;
    for (const listener of this.#listeners) listener(namespaceId, change.progress.feed.cursor);
  }
}

/** One namespace. */
class MemoryFeed implements NamespaceView {
  readonly messages: ProvisionalMessage[] = [];
  readonly #heads = new Map<ItemPath, ItemHead>();
  /** In ascending order: an entry that changes leaves its place and enters at the end. */
  readonly #entries = new Map<Cursor, NewItem>();

  constructor(public progress: FeedProgress) {}

  get feed(): FeedHead {
    return this.progress.feed;
  }

  get isEmpty(): boolean {
    return this.#heads.size === 0 && this.messages.length === 0 && this.progress.followed === 0;
  }

  head(path: ItemPath): ItemHead | undefined {
    return this.#heads.get(path);
  }

  entry(cursor: Cursor): NewItem {
    const entry = this.#entries.get(cursor);
    if (entry === undefined) throw new Error(`the feed has no entry ${cursor}`);
    return entry;
  }

  paths(): Iterable<ItemPath> {
    return this.#heads.keys();
  }

  *log(): Iterable<Uint8Array> {
    for (const { message } of this.messages) yield message;
  }

  slice(query: FeedQuery): FeedSlice {
    return sliceOf(this.feed.cursor, query, () => this.#after(query.after));
  }

  apply({ progress, writes, forgotten, appended }: FeedChange): void {
    for (const write of writes) {
      if (write.supersedes !== undefined) this.#entries.delete(write.supersedes);
      this.#entries.set(write.cursor, { item: write.item, encoded: Buffer.from(write.encoded) });
      this.#heads.set(write.item.path, headOf(write));
    }
    for (const { path, head } of forgotten) {
      this.#entries.delete(head.cursor);
      this.#heads.delete(path);
    }
    if (appended !== undefined) this.messages.push({ sequence: progress.logged, message: Buffer.from(appended) });
    this.progress = progress;
  }

  remove(sequence: number): void {
    const index = this.messages.findIndex((message) => message.sequence === sequence);
    const [removed] = index < 0 ? [] : this.messages.splice(index, 1);
    if (removed === undefined) return;
    const { waiting, waitingBytes } = this.progress;
    this.progress = {
      ...this.progress,
      waiting: waiting - 1,
      waitingBytes: waitingBytes - removed.message.length,
    };
  }

  *#after(cursor: Cursor): Iterable<StoredEntry> {
    for (const [at, { encoded }] of this.#entries) if (at > cursor) yield { cursor: at, item: encoded };
  }
}
