import type { Clock } from '../../common/clock.js';
import type { AgentId, DeviceId, NamespaceId, ReplicaId } from '../../common/ids.js';
import type { AgentDirectory } from '../connection/agent-directory.js';
import type { MetadataCalls } from '../connection/metadata-calls.js';
import { keptByClientAt } from '../observe/ignore-rules.js';
import type { PeerFeed } from '../peers/peer-directory.js';
import { live } from '../plan/difference.js';
import type { TreeStore } from '../state/tree-store.js';
import type { MetadataReach } from '../upstream/metadata-reach.js';
import type { Standing } from '../upstream/standing.js';
import type { FeedFollowerParts } from './feed-follower.js';
import type { InHand } from './in-hand.js';
import type { Inbox } from './inbox.js';
import { peerFollowing } from './peer-following.js';
import type { ProgressReporter } from './progress-reporter.js';

export interface FollowedFeedsParts {
  readonly namespaceId: NamespaceId;
  readonly replica: ReplicaId;
  readonly deviceId: DeviceId;
  readonly store: TreeStore;
  readonly metadata: Pick<MetadataCalls, 'feed'>;
  readonly agents: Pick<AgentDirectory, 'feedOf'>;
  readonly reach: MetadataReach;
  readonly standing: Standing;
  readonly inbox: Inbox;
  readonly inHand: InHand;
  readonly clock: Clock;
  readonly reporter: Pick<ProgressReporter, 'problem'>;
}

/** How each of those who keep a feed of the namespace is followed, and who is told of what it says. */
export class FollowedFeeds {
  constructor(private readonly parts: FollowedFeedsParts) {}

  atMetadata(): FeedFollowerParts {
    const { metadata, reach, standing, inbox, store } = this.parts;
    return this.#telling({
      ...this.#common(),
      endpoint: 'metadata',
      feed: metadata.feed,
      onPage: (changed, isCaughtUp) => {
        reach.answered();
        if (isCaughtUp) standing.caughtUp();
        else standing.online();
        inbox.feedRead(changed, isCaughtUp, store.cursor);
      },
      onReset: () => inbox.feedReset(),
    });
  }

  /** May raise where the agent holds the namespace no longer. */
  atAgent(agentId: AgentId): FeedFollowerParts {
    const { agents, namespaceId, inbox } = this.parts;
    return this.#telling({
      ...this.#common(),
      endpoint: `agent ${agentId}`,
      feed: agents.feedOf(agentId, namespaceId),
      onPage: (changed, isCaughtUp) => inbox.heard(changed, isCaughtUp),
      onReset: () => undefined,
    });
  }

  atPeer(peer: PeerFeed): FeedFollowerParts {
    return this.#telling(peerFollowing({ ...this.#common(), ...this.parts }, peer));
  }

  /** People are told of items that have a name which no folder takes. */
  #telling(feed: FeedFollowerParts): FeedFollowerParts {
    const { store, reporter } = this.parts;
    const onPage: FeedFollowerParts['onPage'] = (changed, isCaughtUp) => {
      for (const path of changed) {
        const name = keptByClientAt(path);
        if (name === undefined || live(store.remote.get(path)) === undefined) continue;
        const problem =
          'it has the name of the directory that a client keeps in its folder; rename it where it was made';
        reporter.problem({ name, problem });
      }
      feed.onPage(changed, isCaughtUp);
    };
    return { ...feed, onPage };
  }

  #common(): Pick<FeedFollowerParts, 'namespaceId' | 'replica' | 'device' | 'store' | 'inHand'> {
    const { namespaceId, replica, deviceId: device, store, inHand } = this.parts;
    return { namespaceId, replica, device, store, inHand };
  }
}
