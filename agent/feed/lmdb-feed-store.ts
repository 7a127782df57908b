import type { FeedQuery, FeedSlice } from '../../common/feed-service/feed-source.js';
import type { PushDecision } from '../../common/feed/decide-push.js';
import type { FeedHead } from '../../common/feed/placement.js';
import type { Cursor, NamespaceId } from '../../common/ids.js';
import { agentLimits } from '../../common/limits.js';
import { openLmdbEnvironment, type LmdbEnvironment } from '../../common/store/lmdb-environment.js';
import { changeByFollowing, changeByForgetting, changeByPush } from './feed-changes.js';
import type {
  FeedProgress,
  FeedStore,
  FeedStoreStats,
  FollowedPart,
  ProvisionalMessage,
  ProvisionalPush,
} from './feed-store.js';
import { decodeProgress, namespaceOfKey, treeNames, type TreeName } from './lmdb-feed-layout.js';
import { LmdbFeedView } from './lmdb-feed-view.js';

/** Opens the feed store in the directory `path`, with everything in it that had been acknowledged. One process at a time. */
export async function openLmdbFeedStore(path: string): Promise<FeedStore> {
  const mapBytes = agentLimits.feedMapBytes;
  return new LmdbFeedStore(await openLmdbEnvironment({ path, treeNames, mapBytes, what: 'the feed store' }));
}

class LmdbFeedStore implements FeedStore {
  readonly #listeners: ((namespaceId: NamespaceId, cursor: Cursor) => void)[] = [];

  constructor(private readonly environment: LmdbEnvironment<TreeName>) {}

  progress(namespaceId: NamespaceId): Promise<FeedProgress> {
    return this.#read(namespaceId, (view) => view.progress);
  }

  feedHead(namespaceId: NamespaceId): Promise<FeedHead> {
    return this.#read(namespaceId, (view) => view.feed);
  }

  readFeed(namespaceId: NamespaceId, query: FeedQuery): Promise<FeedSlice> {
    return this.#read(namespaceId, (view) => view.slice(query));
  }

  async follow(namespaceId: NamespaceId, part: FollowedPart): Promise<FeedHead> {
    const { progress, writes } = await this.#write(namespaceId, (view) => {
      const change = changeByFollowing(view, part);
      view.apply(change);
      return change;
    });
    if (writes.length > 0) this.#moved(namespaceId, progress.feed.cursor);
    return progress.feed;
  }

  async push(namespaceId: NamespaceId, push: ProvisionalPush): Promise<PushDecision> {
    const decision = await this.#write(namespaceId, (view) => {
      const { decision: made, change } = changeByPush(view, push);
      if (change !== undefined) view.apply(change);
      return made;
    });
    if (decision.writes.length > 0) this.#moved(namespaceId, decision.feed.cursor);
    return decision;
  }

  firstProvisional(namespaceId: NamespaceId): Promise<ProvisionalMessage | undefined> {
    return this.#read(namespaceId, (view) => view.firstMessage());
  }

  removeProvisional(namespaceId: NamespaceId, sequence: number): Promise<void> {
    return this.#write(namespaceId, (view) => view.removeMessage(sequence));
  }

  /** In several transactions, so that others have their turn; each leaves what a follower could go on with. */
  async drop(namespaceId: NamespaceId): Promise<void> {
    await this.#write(namespaceId, (view) => view.startAfresh());
    for (let left = 1; left > 0;) {
      left = await this.#write(namespaceId, (view) => {
        const forgotten = view.somePaths(agentLimits.itemsDroppedAtOnce).flatMap((path) => {
          const head = view.head(path);
          return head === undefined ? [] : [{ path, head }];
        });
        view.apply(changeByForgetting(view.progress, forgotten));
        return forgotten.length;
      });
    }
  }

  namespaces(): Promise<readonly NamespaceId[]> {
    const { trees } = this.environment;
    return this.environment.read(() => this.#known().filter((id) => !new LmdbFeedView(trees, id).isEmpty));
  }

  async stats(): Promise<FeedStoreStats> {
    const namespaces = await this.namespaces();
    const all = await this.environment.read(() => this.#allProgress());
    return {
      namespaces: namespaces.length,
      items: all.reduce((sum, { feed }) => sum + feed.itemCount, 0),
      provisionalMessages: all.reduce((sum, { waiting }) => sum + waiting, 0),
    };
  }

  onMoved(listener: (namespaceId: NamespaceId, cursor: Cursor) => void): void {
    this.#listeners.push(listener);
  }

  close(): Promise<void> {
    return this.environment.close();
  }

  #read<T>(namespaceId: NamespaceId, work: (view: LmdbFeedView) => T): Promise<T> {
    return this.environment.read(() => work(new LmdbFeedView(this.environment.trees, namespaceId)));
  }

  #write<T>(namespaceId: NamespaceId, work: (view: LmdbFeedView) => T): Promise<T> {
    return this.environment.write(() => work(new LmdbFeedView(this.environment.trees, namespaceId)));
  }

  #known(): NamespaceId[] {
    return [...this.environment.trees.heads.getKeys()].map(namespaceOfKey);
  }

  #allProgress(): FeedProgress[] {
    return [...this.environment.trees.heads.getRange()].map(({ value }) => decodeProgress(value));
  }

  #moved(namespaceId: NamespaceId, cursor: Cursor): void {
    for (const listener of this.#listeners) listener(namespaceId, cursor);
  }
}
