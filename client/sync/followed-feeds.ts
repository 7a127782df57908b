import type { Clock } from '../../common/clock.js';
import type { AgentId, DeviceId, NamespaceId, ReplicaId } from '../../common/ids.js';
import type { AgentDirectory } from '../connection/agent-directory.js';
import type { MetadataCalls } from '../connection/metadata-calls.js';
import type { PeerFeed } from '../peers/peer-directory.js';
import type { TreeStore } from '../state/tree-store.js';
import type { MetadataReach } from '../upstream/metadata-reach.js';
import type { Standing } from '../upstream/standing.js';
import type { FeedFollowerParts } from './feed-follower.js';
import type { InHand } from './in-hand.js';
import type { Inbox } from './inbox.js';
import { peerFollowing } from './peer-following.js';

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
}

/** How each of those who keep a feed of the namespace is followed, and who is told of what it says. */
export class FollowedFeeds {
  constructor(private readonly parts: FollowedFeedsParts) {}

  atMetadata(): FeedFollowerParts {
    const { metadata, reach, standing, inbox, store } = this.parts;
    return {
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
    };
  }

  /** May raise where the agent holds the namespace no longer. */
  atAgent(agentId: AgentId): FeedFollowerParts {
    const { agents, namespaceId, inbox } = this.parts;
    return {
      ...this.#common(),
      endpoint: `agent ${agentId}`,
      feed: agents.feedOf(agentId, namespaceId),
      onPage: (changed, isCaughtUp) => inbox.heard(changed, isCaughtUp),
      onReset: () => undefined,
    };
  }

  atPeer(peer: PeerFeed): FeedFollowerParts {
    return peerFollowing({ ...this.#common(), ...this.parts }, peer);
  }

  #common(): Pick<FeedFollowerParts, 'namespaceId' | 'replica' | 'device' | 'store' | 'inHand'> {
    const { namespaceId, replica, deviceId: device, store, inHand } = this.parts;
    return { namespaceId, replica, device, store, inHand };
  }
}
