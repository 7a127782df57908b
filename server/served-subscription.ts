import { anySignal } from '../common/concurrency/any-signal.js';
import type { EncodedPage } from '../common/feed-service/encoded-page.js';
import { parsePlace } from '../common/feed-service/feed-methods.js';
import type { Subscriptions } from '../common/feed-service/subscriptions.js';
import { parseNamespaceId } from '../common/ids.js';
import type { CallContext } from '../common/rpc/method-types.js';
import type { SubscribeRequest } from '../proto/gen/drystone/feed/v1/feed.js';
import type { BlockAccess } from './block-access.js';
import { whileValid } from './while-valid.js';

export interface SubscriptionParts {
  /** Decides by access tokens, as for blocks. */
  readonly access: BlockAccess;
  readonly subscriptions: Subscriptions;
}

/**
 * The pages of a feed for one who subscribes with an access token: until the caller leaves, or its token ends, also while
 * there is nothing to send. Raises the errors of {@link BlockAccess} and of Subscribe.
 */
export async function* servedSubscription(
  { access, subscriptions }: SubscriptionParts,
  request: SubscribeRequest,
  context: CallContext,
): AsyncGenerator<EncodedPage, void, undefined> {
  const granted = await access.check(context);
  const namespaceId = parseNamespaceId('namespace_id', request.namespaceId);
  const place = parsePlace(request);
  const admit = async (): Promise<void> => granted.require(namespaceId, 'read');
  const over = new AbortController();
  const signal = anySignal([context.signal, over.signal]);
  try {
    yield* whileValid(granted, subscriptions.subscribe({ namespaceId, ...place, admit }, signal));
  } finally {
    over.abort();
  }
}
