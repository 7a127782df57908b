import { FeedPage, type SubscribeRequest } from '../../proto/gen/drystone/feed/v1/feed.js';
import { feedMethods, parseFeedQuery } from '../../common/feed-service/feed-methods.js';
import type { EncodedPage } from '../../common/feed-service/encoded-page.js';
import { parseNamespaceId } from '../../common/ids.js';
import type { CallContext } from '../../common/rpc/method-types.js';
import { serve, type ServedService } from '../../common/rpc/server.js';
import { servedSubscription, type SubscriptionParts } from '../../server/served-subscription.js';

export interface PeerFeedParts extends SubscriptionParts {
  /**
   * This device's own access token, which shows others that it may change the namespace; PERMISSION_DENIED
   * (ROLE_INSUFFICIENT) where it may not.
   */
  readonly proof: () => Promise<string>;
  /**
   * Resolves when what is known now is durable. Whoever hears a change may be all who know of it: after a loss of power its author must
   * not give its number again, nor be ignorant of having made it.
   */
  readonly durable: () => Promise<void>;
}

/** FeedService (proto/drystone/feed/v1/feed.proto) as an endpoint serves it: it is read. Push is UNIMPLEMENTED. */
export function createPeerFeedService(parts: PeerFeedParts): ServedService {
  const { readFeed, subscribe } = feedMethods;
  return serve(
    { readFeed, subscribe },
    {
      async readFeed(request, context) {
        const access = await parts.access.check(context);
        const namespaceId = parseNamespaceId('namespace_id', request.namespaceId);
        access.require(namespaceId, 'read');
        const token = await parts.proof();
        const page = await parts.subscriptions.reader.read(namespaceId, parseFeedQuery(request));
        await parts.durable();
        return withProof(page, token);
      },
      subscribe: (request, context) => subscribeAt(parts, request, context),
    },
    { audience: { readFeed: 'device', subscribe: 'device' }, endless: ['subscribe'] },
  );
}

/** The first page shows that this device may change the namespace; nothing is sent where it may not. */
async function* subscribeAt(
  parts: PeerFeedParts,
  request: SubscribeRequest,
  context: CallContext,
): AsyncGenerator<EncodedPage, void, undefined> {
  let isFirst = true;
  for await (const page of servedSubscription(parts, request, context)) {
    await parts.durable();
    yield isFirst ? withProof(page, await parts.proof()) : page;
    isFirst = false;
  }
}

/** The page with one field more: what encodes a message may be appended to. */
function withProof(page: EncodedPage, accessToken: string): EncodedPage {
  const field = FeedPage.encode({ entries: [], nextCursor: 0n, caughtUp: false, accessToken }).finish();
  return { ...page, bytes: Buffer.concat([page.bytes, field]) };
}
