import { entryFromWire } from '../../common/feed/item-codec.js';
import { mergeItems } from '../../common/feed/merge.js';
import { DrystoneError } from '../../common/errors.js';
import type { Item, ItemPath } from '../../common/feed/item.js';
import { CURSOR_START, parseCursor, type NamespaceId } from '../../common/ids.js';
import type { FeedPage } from '../../proto/gen/drystone/feed/v1/feed.js';
import type { MetadataCalls } from '../connection/metadata-calls.js';
import type { TreeStore } from '../state/tree-store.js';

export interface FeedFollowerParts {
  readonly namespaceId: NamespaceId;
  readonly feed: MetadataCalls['feed'];
  readonly store: TreeStore;
  /** These paths of the remote tree have changed. Called for every page, also one without changes. */
  readonly onPage: (changed: readonly ItemPath[], isCaughtUp: boolean) => void;
  /** The namespace's feed is another one than was read so far: everything is read again. */
  readonly onReset: () => void;
}

/**
 * Follows the feed from the cursor of the remote tree for as long as the call lasts: each page is written together with
 * the cursor behind it, so whenever it ends it goes on where it was. Raises the errors of the feed; never returns
 * otherwise.
 */
export async function followFeed(parts: FeedFollowerParts, signal: AbortSignal): Promise<void> {
  const { namespaceId, feed, store } = parts;
  try {
    const request = { namespaceId, afterCursor: BigInt(store.cursor), replicaId: '' };
    for await (const page of feed.subscribe(request, { signal })) await takePage(parts, page);
    throw new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'metadata ended the subscription');
  } catch (thrown) {
    if (thrown instanceof DrystoneError && thrown.reason === 'CURSOR_AHEAD') {
      await store.write({ forgetRemote: true, cursor: CURSOR_START });
      parts.onReset();
      return followFeed(parts, signal);
    }
    throw thrown;
  }
}

/**
 * Reads the feed up to its end, as it is when the call is made. After a commit whose answer was lost this tells whether it
 * was accepted. Raises the errors of the feed.
 */
export async function catchUp(parts: FeedFollowerParts, signal: AbortSignal): Promise<void> {
  const { namespaceId, feed, store } = parts;
  for (let isCaughtUp = false; !isCaughtUp;) {
    const request = { namespaceId, afterCursor: BigInt(store.cursor), pageSize: 0, pathPrefix: '' };
    const page = await feed.readFeed(request, { signal });
    await takePage(parts, page);
    isCaughtUp = page.caughtUp;
  }
}

async function takePage({ store, onPage }: FeedFollowerParts, page: FeedPage): Promise<void> {
  const items = page.entries.map((entry, index) => entryFromWire(`entries[${index}]`, entry).item);
  const news = items.filter((item) => isNews(item, store.remote.get(item.path)));
  const remote = new Map(news.map((item) => [item.path, item]));
  await store.write({ remote, cursor: parseCursor('next_cursor', page.nextCursor) });
  onPage([...remote.keys()], page.caughtUp);
}

/** Whether an item says more than what is known already, as the echo of an own commit does not. */
function isNews(item: Item, known: Item | undefined): boolean {
  return known === undefined || mergeItems(known, item) !== known;
}
