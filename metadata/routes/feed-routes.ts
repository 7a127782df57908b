import { invalidArgument } from '../../common/errors.js';
import { parseItemPath } from '../../common/feed/paths.js';
import { parseCursor, parseNamespaceId } from '../../common/ids.js';
import { wireLimits } from '../../common/limits.js';
import { serve, type ServedService } from '../../common/rpc/server.js';
import { FeedServiceService } from '../../proto/gen/drystone/feed/v1/feed.js';
import type { EncodedPage } from '../feed/encoded-page.js';
import type { FeedReader } from '../feed/feed-reader.js';
import type { Subscriptions } from '../feed/subscriptions.js';

export interface FeedParts {
  readonly reader: FeedReader;
  readonly subscriptions: Subscriptions;
}

const sendEncoded = (page: EncodedPage): Buffer => page.bytes;

/** FeedService as generated, but for pages that come encoded: one encoding serves every subscriber. */
const feedMethods = {
  readFeed: { ...FeedServiceService.readFeed, responseSerialize: sendEncoded },
  subscribe: { ...FeedServiceService.subscribe, responseSerialize: sendEncoded },
} as const;

/** FeedService (proto/drystone/feed/v1/feed.proto). */
export function feedRoutes({ reader, subscriptions }: FeedParts): ServedService {
  return serve(
    feedMethods,
    {
      readFeed: async (request) =>
        reader.read(parseNamespaceId('namespace_id', request.namespaceId), {
          after: parseCursor('after_cursor', request.afterCursor),
          maxEntries: parsePageSize(request.pageSize),
          pathPrefix: request.pathPrefix === '' ? '' : parseItemPath('path_prefix', request.pathPrefix),
        }),
      subscribe(request, { signal }) {
        const namespaceId = parseNamespaceId('namespace_id', request.namespaceId);
        return subscriptions.subscribe(namespaceId, parseCursor('after_cursor', request.afterCursor), signal);
      },
    },
    { endless: ['subscribe'] },
  );
}

function parsePageSize(pageSize: number): number {
  const { entriesPerPage } = wireLimits;
  if (pageSize > entriesPerPage) throw invalidArgument('page_size', `must be at most ${entriesPerPage}`);
  return pageSize === 0 ? entriesPerPage : pageSize;
}
