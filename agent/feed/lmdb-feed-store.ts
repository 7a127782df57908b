import type { FeedQuery, FeedSlice } from '../../common/feed-service/feed-source.js';
import type { PushDecision } from '../../common/feed/decide-push.js';
import { newFeedHistory, type FeedHistory } from '../../common/feed/feed-history.js';
import type { FeedHead } from '../../common/feed/placement.js';
import type { Cursor, NamespaceId } from '../../common/ids.js';
import { agentLimits } from '../../common/limits.js';
import { systemRandom, type Random } from '../../common/random.js';
import { openLmdbEnvironment, type LmdbEnvironment } from '../../common/store/lmdb-environment.js';
import { LmdbHistories } from '../../common/store/lmdb-histories.js';
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
export async function openLmdbFeedStore(path: string, random: Random = systemRandom): Promise<FeedStore> {
  const mapBytes = agentLimits.feedMapBytes;
  const environment = await openLmdbEnvironment({ path, treeNames, mapBytes, what: 'the feed store' });
  return new LmdbFeedStore(environment, newFeedHistory(random));
}

class LmdbFeedStore implements FeedStore {
  readonly #listeners: ((namespaceId: NamespaceId, cursor: Cursor) => void)[] = [];

  readonly #histories: LmdbHistories;

  constructor(
    private readonly environment: LmdbEnvironment<TreeName>,
    history: FeedHistory,
  ) {
    this.#histories = new LmdbHistories(environment.trees.histories, history);
  }

  progress(namespaceId: NamespaceId): Promise<FeedProgress> {
    return this.#read(namespaceId, (view) => view.progress);
  }

  feedHead(namespaceId: NamespaceId): Promise<FeedHead> {
    return this.#read(namespaceId, (view) => view.feed);
  }

  readFeed(namespaceId: NamespaceId, query: FeedQuery): Promise<FeedSlice> {
    return this.#read(namespaceId, (view) => view.slice(query));
  }

  historyOf(namespaceId: NamespaceId, cursor: Cursor): Promise<FeedHistory | undefined> {
    return this.#read(namespaceId, (view) => view.historyOf(cursor));
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
    return this.environment.read(() => this.#known().filter((id) => !this.#view(id).isEmpty));
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
    return this.environment.read(() => work(this.#view(namespaceId)));
  }

  #write<T>(namespaceId: NamespaceId, work: (view: LmdbFeedView) => T): Promise<T> {
    return this.environment.write(() => work(this.#view(namespaceId)));
  }

  #view(namespaceId: NamespaceId): LmdbFeedView {
    return new LmdbFeedView(this.environment.trees, this.#histories, namespaceId);
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
