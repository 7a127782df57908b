import { invalidArgument } from '../../common/errors.js';
import { parseItemPath } from '../../common/feed/paths.js';
import { parseCursor, parseNamespaceId } from '../../common/ids.js';
import { wireLimits } from '../../common/limits.js';
import { serve, type ServedService } from '../../common/rpc/server.js';
import { FeedServiceService } from '../../proto/gen/drystone/feed/v1/feed.js';
import type { EncodedPage } from '../feed/encoded-page.js';
import type { FeedReader } from '../feed/feed-reader.js';
import type { Subscriptions } from '../feed/subscriptions.js';
import type { CommitParts } from '../commit/commit-stream.js';
import { callingDevice } from '../requests/callers.js';
import type { Access } from '../trust/access.js';
import { push } from './push.js';

export interface FeedParts {
  readonly access: Access;
  readonly reader: FeedReader;
  readonly subscriptions: Subscriptions;
  readonly commits: CommitParts;
}

const sendEncoded = (page: EncodedPage): Buffer => page.bytes;

/** FeedService as generated, but for pages that come encoded: one encoding serves every subscriber. */
const feedMethods = {
  readFeed: { ...FeedServiceService.readFeed, responseSerialize: sendEncoded },
  subscribe: { ...FeedServiceService.subscribe, responseSerialize: sendEncoded },
  push: FeedServiceService.push,
} as const;

/** FeedService (proto/drystone/feed/v1/feed.proto). */
export function feedRoutes({ access, reader, subscriptions, commits }: FeedParts): ServedService {
  return serve(
    feedMethods,
    {
      async readFeed(request, context) {
        const namespaceId = parseNamespaceId('namespace_id', request.namespaceId);
        await access.authorise(callingDevice(context), namespaceId, 'reader');
        return reader.read(namespaceId, {
          after: parseCursor('after_cursor', request.afterCursor),
          maxEntries: parsePageSize(request.pageSize),
          pathPrefix: request.pathPrefix === '' ? '' : parseItemPath('path_prefix', request.pathPrefix),
        });
      },
      subscribe(request, context) {
        const device = callingDevice(context);
        const namespaceId = parseNamespaceId('namespace_id', request.namespaceId);
        const after = parseCursor('after_cursor', request.afterCursor);
        const admit = (): Promise<unknown> => access.authorise(device, namespaceId, 'reader');
        return subscriptions.subscribe({ namespaceId, after, admit }, context.signal);
      },
      push: (requests, context) => push(commits, requests, context),
    },
    {
      audience: { readFeed: 'device', subscribe: 'device', push: 'device' },
      endless: ['subscribe'],
      requestBytes: { push: wireLimits.messageBytes },
    },
  );
}

function parsePageSize(pageSize: number): number {
  const { entriesPerPage } = wireLimits;
  if (pageSize > entriesPerPage) throw invalidArgument('page_size', `must be at most ${entriesPerPage}`);
  return pageSize === 0 ? entriesPerPage : pageSize;
}
