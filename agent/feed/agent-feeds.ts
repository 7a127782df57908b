import { FeedReader } from '../../common/feed-service/feed-reader.js';
import { Subscriptions } from '../../common/feed-service/subscriptions.js';
import { WatcherLimit } from '../../common/feed-service/watcher-limit.js';
import type { AgentId } from '../../common/ids.js';
import { agentLimits } from '../../common/limits.js';
import type { ServerContext } from '../../common/program/context.js';
import type { ServedService } from '../../common/rpc/server.js';
import type { BlockAccess } from '../../server/block-access.js';
import type { BlockStore } from '../../server/block-store.js';
import type { ReceiptSigner } from '../../server/receipt-signer.js';
import type { AssignedNamespaces } from '../assigned-namespaces.js';
import { createFeedMetrics, registerFeedGauges } from './feed-metrics.js';
import { FeedReplicas } from './feed-replicas.js';
import { createFeedService } from './feed-service.js';
import type { FeedStore } from './feed-store.js';
import type { FeedCaller } from './follow-feed.js';

/** What the feeds of an agent are made over; all of it stays its owner's to close. */
export interface AgentFeedGround {
  readonly agentId: AgentId;
  readonly store: FeedStore;
  readonly blocks: Pick<BlockStore, 'sizes'>;
  readonly receipts: ReceiptSigner;
  readonly access: BlockAccess;
  readonly assigned: AssignedNamespaces;
  /** Calls of metadata's feed service. */
  readonly feed: FeedCaller;
}

/** The feeds of an agent. */
export interface AgentFeeds {
  /** FeedService, to be served to devices. */
  readonly service: ServedService;
  /** Begins to follow what is assigned now, and whatever metadata says from now on; returns at once. */
  start(): void;
  /** Resolves when nothing of it runs any more. */
  stop(): Promise<void>;
}

/** Joins the parts of an agent's feeds. No sockets or files are inside. */
export function createAgentFeeds(
  { agentId, store, blocks, receipts, access, assigned, feed }: AgentFeedGround,
  { clock, random, logger, registry }: ServerContext,
): AgentFeeds {
  const metrics = createFeedMetrics(registry);
  registerFeedGauges(registry, store);
  const replicas = new FeedReplicas({ agentId, store, blocks, receipts, feed, metrics, clock, random, logger });
  const reader = new FeedReader(store, agentLimits.pageCacheBytes);
  const subscriptions = new Subscriptions(reader, new WatcherLimit(agentLimits.subscribers));
  store.onMoved((namespaceId, cursor) => subscriptions.moved(namespaceId, cursor));
  const onLogged = replicas.logged.bind(replicas);
  const pushes = { store, blocks, clock, metrics, onLogged };
  return {
    service: createFeedService({ access, reader, subscriptions, pushes }),
    start() {
      replicas.follow(assigned.ids);
      assigned.onReplaced(() => {
        void replicas.replace(assigned.ids);
        subscriptions.accessChanged();
      });
    },
    stop: () => replicas.stop(),
  };
}
