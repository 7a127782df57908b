import { mapAhead } from '../../common/concurrency/map-ahead.js';
import { pushResponseOf } from '../../common/feed-service/feed-methods.js';
import { metadataLimits } from '../../common/limits.js';
import type { CallContext } from '../../common/rpc/method-types.js';
import type { PushRequest, PushResponse } from '../../proto/gen/drystone/feed/v1/feed.js';
import { CommitStream, type CommitParts } from '../commit/commit-stream.js';
import { callingHolder } from '../requests/callers.js';

/** FeedService.Push as metadata serves it: the commit. */
export function push(
  parts: CommitParts,
  requests: AsyncIterable<PushRequest>,
  context: CallContext,
): AsyncGenerator<PushResponse, void, undefined> {
  const stream = new CommitStream(parts, callingHolder(context));
  return mapAhead(requests, metadataLimits.requestsInFlight, async (request) =>
    pushResponseOf(await stream.commit(request)),
  );
}
