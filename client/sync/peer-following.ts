import type { Clock } from '../../common/clock.js';
import { checkTimes } from '../../common/feed/push-items.js';
import { CURSOR_START } from '../../common/ids.js';
import type { PeerFeed } from '../peers/peer-directory.js';
import type { FeedFollowerParts } from './feed-follower.js';
import type { Inbox } from './inbox.js';

export interface PeerFollowingParts extends Pick<
  FeedFollowerParts,
  'namespaceId' | 'replica' | 'device' | 'store' | 'inHand'
> {
  readonly inbox: Pick<Inbox, 'heard'>;
  readonly clock: Clock;
}

/** How the feed of a peer is followed: nobody has looked at its items before, and it may itself know little. */
export function peerFollowing(
  { inbox, clock, ...parts }: PeerFollowingParts,
  { deviceId, feed }: PeerFeed,
): FeedFollowerParts {
  return {
    ...parts,
    endpoint: `peer ${deviceId}`,
    feed,
    check: (items) => checkTimes(items, clock.nowMs()),
    // That it has an end says enough only where metadata's feed was read before.
    onPage: (changed, isCaughtUp) => inbox.heard(changed, isCaughtUp && parts.store.cursor !== CURSOR_START),
    onReset: () => undefined,
  };
}
