import type { Clock } from '../../common/clock.js';
import { FeedReader } from '../../common/feed-service/feed-reader.js';
import { Subscriptions } from '../../common/feed-service/subscriptions.js';
import { WatcherLimit } from '../../common/feed-service/watcher-limit.js';
import type { NamespaceId } from '../../common/ids.js';
import { peerLimits } from '../../common/limits.js';
import type { AccessTokens } from '../connection/access-tokens.js';
import { writersToken } from '../connection/own-right.js';
import type { TreeStore } from '../state/tree-store.js';
import type { PeerFeedParts } from './peer-feed-service.js';
import { RemoteFeed } from './remote-feed.js';

export interface OwnFeedParts {
  readonly namespaceId: NamespaceId;
  readonly store: Pick<TreeStore, 'remote' | 'onRemoteMoved' | 'durable'>;
  readonly tokens: Pick<AccessTokens, 'tokenFor'>;
  readonly clock: Clock;
}

/** What an endpoint serves of what it knows of its namespace. Nothing is kept for it before somebody asks. */
export function ownFeed({ namespaceId, store, tokens, clock }: OwnFeedParts): Omit<PeerFeedParts, 'access'> {
  const source = new RemoteFeed({
    store,
    startedAtMs: clock.nowMs(),
    onMoved: (end) => subscriptions.moved(namespaceId, end),
  });
  const reader = new FeedReader(source, peerLimits.pageCacheBytes);
  const subscriptions = new Subscriptions(reader, new WatcherLimit(peerLimits.feedSubscribers));
  return {
    subscriptions,
    proof: () => writersToken(tokens, namespaceId),
    durable: () => store.durable(),
  };
}
