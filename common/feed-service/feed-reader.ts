import type { NamespaceId } from '../ids.js';
import { wireLimits } from '../limits.js';
import { type EncodedPage, encodeFeedPage } from './encoded-page.js';
import {
  checkHistory,
  checkNotMissed,
  cursorAhead,
  type FeedQuery,
  type FeedSource,
  type ReaderPlace,
} from './feed-source.js';
import { PageCache } from './page-cache.js';

/** Reads feeds in encoded pages. */
export class FeedReader {
  readonly #cache: PageCache;

  /** @param cacheBytes of pages kept for subscribers that stand at the same cursor. */
  constructor(
    readonly source: FeedSource,
    cacheBytes: number,
  ) {
    this.#cache = new PageCache(cacheBytes);
  }

  /** A page as asked for. NOT_FOUND (NAMESPACE_UNKNOWN), OUT_OF_RANGE (CURSOR_AHEAD, CURSOR_FORGOTTEN). */
  async read(
    namespaceId: NamespaceId,
    { begunAt, afterHistory, ...query }: Omit<FeedQuery, 'maxBytes'> & ReaderPlace,
  ): Promise<EncodedPage> {
    const place = { after: query.after, begunAt, afterHistory };
    await this.#checkHistory(namespaceId, place);
    const page = await this.#read(namespaceId, query);
    checkNotMissed(place, page);
    return page;
  }

  /**
   * The largest page after a cursor, shared by all who ask for the same while the feed has not moved. Errors as `read`.
   */
  async readShared(namespaceId: NamespaceId, place: ReaderPlace): Promise<EncodedPage> {
    const { after } = place;
    // The feed is another after each commit, and the same until then: its end is part of the key. A page from before
    // deletions were forgotten has them, which does no harm.
    const { cursor: end } = await this.source.feedHead(namespaceId);
    if (after > end) throw cursorAhead(after, end);
    await this.#checkHistory(namespaceId, place);
    const query = { after, maxEntries: wireLimits.entriesPerPage, pathPrefix: '' };
    const page = await this.#cache.get(`${namespaceId} ${after} ${end}`, () => this.#read(namespaceId, query));
    checkNotMissed(place, page);
    return page;
  }

  async #checkHistory(namespaceId: NamespaceId, place: ReaderPlace): Promise<void> {
    if (place.afterHistory === undefined) return;
    checkHistory(place, await this.source.historyOf(namespaceId, place.after));
  }

  async #read(namespaceId: NamespaceId, query: Omit<FeedQuery, 'maxBytes'>): Promise<EncodedPage> {
    const slice = await this.source.readFeed(namespaceId, { ...query, maxBytes: wireLimits.pageBytes });
    return encodeFeedPage(slice, await this.source.historyOf(namespaceId, slice.nextCursor));
  }
}
