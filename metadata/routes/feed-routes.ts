import { feedMethods, parseFeedQuery } from '../../common/feed-service/feed-methods.js';
import type { FeedReader } from '../../common/feed-service/feed-reader.js';
import type { Subscriptions } from '../../common/feed-service/subscriptions.js';
import { parseCursor, parseNamespaceId } from '../../common/ids.js';
import { wireLimits } from '../../common/limits.js';
import { serve, type ServedService } from '../../common/rpc/server.js';
import type { CommitParts } from '../commit/commit-stream.js';
import { callingHolder } from '../requests/callers.js';
import type { Access } from '../trust/access.js';
import { push } from './push.js';

export interface FeedParts {
  readonly access: Access;
  readonly reader: FeedReader;
  readonly subscriptions: Subscriptions;
  readonly commits: CommitParts;
}

/** FeedService (proto/drystone/feed/v1/feed.proto). */
export function feedRoutes({ access, reader, subscriptions, commits }: FeedParts): ServedService {
  return serve(
    feedMethods,
    {
      async readFeed(request, context) {
        const namespaceId = parseNamespaceId('namespace_id', request.namespaceId);
        await access.authoriseHolder(callingHolder(context), namespaceId, 'reader');
        return reader.read(namespaceId, parseFeedQuery(request));
      },
      subscribe(request, context) {
        const caller = callingHolder(context);
        const namespaceId = parseNamespaceId('namespace_id', request.namespaceId);
        const after = parseCursor('after_cursor', request.afterCursor);
        const admit = (): Promise<unknown> => access.authoriseHolder(caller, namespaceId, 'reader');
        return subscriptions.subscribe({ namespaceId, after, admit }, context.signal);
      },
      push: (requests, context) => push(commits, requests, context),
    },
    {
      audience: { readFeed: 'agent or device', subscribe: 'agent or device', push: 'agent or device' },
      endless: ['subscribe'],
      requestBytes: { push: wireLimits.messageBytes },
    },
  );
}
