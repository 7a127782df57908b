import type { RpcChannel } from '../../common/rpc/client.js';
import type { ServiceCaller } from '../../common/rpc/method-types.js';
import { FeedServiceService } from '../../proto/gen/drystone/feed/v1/feed.js';

/** The feed service of whoever keeps a feed. */
export type FeedCalls = ServiceCaller<FeedServiceService>;

/** A feed as one who only reads it sees it. */
export type ReadableFeed = Pick<FeedCalls, 'readFeed' | 'subscribe'>;

/** The feed service at the other end of `channel`, each call with an access token from `authorize`. */
export function authorizedFeed(channel: RpcChannel, authorize: () => Promise<string>): FeedCalls {
  const feed = channel.service(FeedServiceService);
  return {
    async readFeed(request, options) {
      return feed.readFeed(request, { ...options, accessToken: await authorize() });
    },
    async *subscribe(request, options) {
      yield* feed.subscribe(request, { ...options, accessToken: await authorize() });
    },
    async *push(requests, options) {
      yield* feed.push(requests, { ...options, accessToken: await authorize() });
    },
  };
}
