import { FeedPage, type SubscribeRequest } from '../../proto/gen/drystone/feed/v1/feed.js';
import { feedMethods, parseFeedQuery } from '../../common/feed-service/feed-methods.js';
import type { EncodedPage } from '../../common/feed-service/encoded-page.js';
import type { Subscriptions } from '../../common/feed-service/subscriptions.js';
import { parseCursor, parseNamespaceId } from '../../common/ids.js';
import type { CallContext } from '../../common/rpc/method-types.js';
import { serve, type ServedService } from '../../common/rpc/server.js';
import type { BlockAccess } from '../../server/block-access.js';
import { whileValid } from '../../server/while-valid.js';

export interface PeerFeedParts {
  /** Decides by access tokens, as for blocks. */
  readonly access: BlockAccess;
  readonly subscriptions: Subscriptions;
  /**
   * This device's own access token, which shows others that it may change the namespace; PERMISSION_DENIED
   * (ROLE_INSUFFICIENT) where it may not.
   */
  readonly proof: () => Promise<string>;
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
        return withProof(await parts.subscriptions.reader.read(namespaceId, parseFeedQuery(request)), token);
      },
      subscribe: (request, context) => subscribeAt(parts, request, context),
    },
    { audience: { readFeed: 'device', subscribe: 'device' }, endless: ['subscribe'] },
  );
}

/** Until the caller leaves, or its token ends: also while there is nothing to send. */
async function* subscribeAt(
  { access, subscriptions, proof }: PeerFeedParts,
  request: SubscribeRequest,
  context: CallContext,
): AsyncGenerator<EncodedPage, void, undefined> {
  const granted = await access.check(context);
  const namespaceId = parseNamespaceId('namespace_id', request.namespaceId);
  const after = parseCursor('after_cursor', request.afterCursor);
  granted.require(namespaceId, 'read');
  const token = await proof();
  const admit = async (): Promise<void> => granted.require(namespaceId, 'read');
  const over = new AbortController();
  const signal = AbortSignal.any([context.signal, over.signal]);
  try {
    let isFirst = true;
    for await (const page of whileValid(granted, subscriptions.subscribe({ namespaceId, after, admit }, signal))) {
      yield isFirst ? withProof(page, token) : page;
      isFirst = false;
    }
  } finally {
    over.abort();
  }
}

/** The page with one field more: what encodes a message may be appended to. */
function withProof(page: EncodedPage, accessToken: string): EncodedPage {
  const field = FeedPage.encode({ entries: [], nextCursor: 0n, caughtUp: false, accessToken }).finish();
  return { ...page, bytes: Buffer.concat([page.bytes, field]) };
}
