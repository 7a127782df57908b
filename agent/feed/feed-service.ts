import { feedMethods, parseFeedQuery } from '../../common/feed-service/feed-methods.js';
import type { FeedReader } from '../../common/feed-service/feed-reader.js';
import type { Subscriptions } from '../../common/feed-service/subscriptions.js';
import { parseNamespaceId } from '../../common/ids.js';
import { wireLimits } from '../../common/limits.js';
import type { CallContext } from '../../common/rpc/method-types.js';
import { serve, type ServedService } from '../../common/rpc/server.js';
import type { PushRequest, PushResponse } from '../../proto/gen/drystone/feed/v1/feed.js';
import type { BlockAccess } from '../../server/block-access.js';
import { servedSubscription } from '../../server/served-subscription.js';
import { provisionalPushes, type ProvisionalParts } from './provisional-pushes.js';

export interface FeedServiceParts {
  /** Decides by access tokens, as for blocks. */
  readonly access: BlockAccess;
  readonly reader: FeedReader;
  readonly subscriptions: Subscriptions;
  readonly pushes: ProvisionalParts;
}

/** FeedService (proto/drystone/feed/v1/feed.proto) as an agent serves it. */
export function createFeedService(parts: FeedServiceParts): ServedService {
  return serve(
    feedMethods,
    {
      async readFeed(request, context) {
        const access = await parts.access.check(context);
        const namespaceId = parseNamespaceId('namespace_id', request.namespaceId);
        access.require(namespaceId, 'read');
        return parts.reader.read(namespaceId, parseFeedQuery(request));
      },
      subscribe: (request, context) => servedSubscription(parts, request, context),
      push: (requests, context) => push(parts, requests, context),
    },
    {
      audience: { readFeed: 'device', subscribe: 'device', push: 'device' },
      endless: ['subscribe'],
      requestBytes: { push: wireLimits.messageBytes },
    },
  );
}

async function* push(
  { access, pushes }: FeedServiceParts,
  requests: AsyncIterable<PushRequest>,
  context: CallContext,
): AsyncGenerator<PushResponse, void, undefined> {
  yield* provisionalPushes(pushes, await access.check(context), requests);
}
