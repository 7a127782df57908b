import {
  FeedServiceService,
  type PushResponse,
  type ReadFeedRequest,
  type SubscribeRequest,
} from '../../proto/gen/drystone/feed/v1/feed.js';
import { invalidArgument } from '../errors.js';
import type { PushDecision } from '../feed/decide-push.js';
import { parseFeedHistory } from '../feed/feed-history.js';
import { entryToWire } from '../feed/item-codec.js';
import { parseItemPath } from '../feed/paths.js';
import { parseCursor } from '../ids.js';
import { wireLimits } from '../limits.js';
import type { EncodedPage } from './encoded-page.js';
import type { FeedQuery, ReaderPlace } from './feed-source.js';

const sendEncoded = (page: EncodedPage): Buffer => page.bytes;

/** FeedService as generated, but for pages that come encoded: one encoding serves every subscriber. */
export const feedMethods = {
  readFeed: { ...FeedServiceService.readFeed, responseSerialize: sendEncoded },
  subscribe: { ...FeedServiceService.subscribe, responseSerialize: sendEncoded },
  push: FeedServiceService.push,
} as const;

/** What a request to read a page asks for; INVALID_ARGUMENT names the field. */
export function parseFeedQuery(request: ReadFeedRequest): Omit<FeedQuery, 'maxBytes'> & ReaderPlace {
  return {
    ...parsePlace(request),
    maxEntries: parsePageSize(request.pageSize),
    pathPrefix: request.pathPrefix === '' ? '' : parseItemPath('path_prefix', request.pathPrefix),
  };
}

/** Where the reader stands who makes a request; INVALID_ARGUMENT names the field. */
export function parsePlace({
  afterCursor,
  afterHistory,
}: Pick<SubscribeRequest, 'afterCursor' | 'afterHistory'>): ReaderPlace {
  return {
    after: parseCursor('after_cursor', afterCursor),
    afterHistory: parseFeedHistory('after_history', afterHistory),
  };
}

/** The answer to a push. */
export function pushResponseOf({ feed, missing, merged }: PushDecision): PushResponse {
  return {
    cursor: BigInt(feed.cursor),
    missingHashes: missing,
    merged: merged.map(({ index, current }) => ({ index, current: current && entryToWire(current) })),
  };
}

function parsePageSize(pageSize: number): number {
  const { entriesPerPage } = wireLimits;
  if (pageSize > entriesPerPage) throw invalidArgument('page_size', `must be at most ${entriesPerPage}`);
  return pageSize === 0 ? entriesPerPage : pageSize;
}
