import { DrystoneError, toDrystoneError } from '../../common/errors.js';
import { encodeWireItems } from '../../common/feed/endorsement.js';
import { feedHistoryToWire, parseFeedHistory } from '../../common/feed/feed-history.js';
import { itemFromWire } from '../../common/feed/item-codec.js';
import type { ItemPath } from '../../common/feed/item.js';
import type { NewItem } from '../../common/feed/push-items.js';
import { CURSOR_START, parseCursor, type AgentId, type NamespaceId } from '../../common/ids.js';
import type { ServiceCaller } from '../../common/rpc/method-types.js';
import type { FeedPage, FeedServiceService } from '../../proto/gen/drystone/feed/v1/feed.js';
import type { FeedStore } from './feed-store.js';

/** Calls of metadata's feed service. */
export type FeedCaller = ServiceCaller<typeof FeedServiceService>;

export interface FollowerParts {
  readonly feed: FeedCaller;
  readonly store: FeedStore;
  /** By which metadata knows how far this replica has come. */
  readonly agentId: AgentId;
}

/**
 * Follows metadata's feed of a namespace into the store, each page durable before the next is taken, until the subscription
 * breaks: always raises. `onPage` is told of each page.
 *
 * Where metadata no longer knows the cursor, or no longer tells what was deleted since, the feed is read again from its
 * beginning, and what is not found in it is forgotten.
 */
export async function followFeed(
  { feed, store, agentId }: FollowerParts,
  namespaceId: NamespaceId,
  { signal, onPage }: { readonly signal: AbortSignal; readonly onPage: () => void },
): Promise<never> {
  const progress = await store.progress(namespaceId);
  let { followed, followedHistory } = progress;
  let found = followed === CURSOR_START && progress.feed.cursor > 0 ? new Set<ItemPath>() : undefined;
  try {
    const afterHistory = feedHistoryToWire(followedHistory);
    const request = { namespaceId, afterCursor: BigInt(followed), afterHistory, replicaId: agentId };
    for await (const page of feed.subscribe(request, { signal })) {
      const items = itemsOf(page);
      for (const { item } of items) found?.add(item.path);
      const isWhole = found === undefined || page.caughtUp;
      // Where the feed is read again, a reading that is cut short begins anew.
      const next = isWhole ? parseCursor('next_cursor', page.nextCursor) : CURSOR_START;
      const nextHistory = isWhole ? parseFeedHistory('history', page.history) : undefined;
      const onlyPaths = isWhole ? found : undefined;
      const isMoved = next !== followed || nextHistory !== followedHistory;
      if (items.length > 0 || isMoved || onlyPaths !== undefined) {
        const part = { items, followed: next, followedHistory: nextHistory };
        await store.follow(namespaceId, onlyPaths === undefined ? part : { ...part, onlyPaths });
      }
      if (isWhole) found = undefined;
      [followed, followedHistory] = [next, nextHistory];
      onPage();
    }
  } catch (thrown) {
    if (toDrystoneError(thrown).code === 'OUT_OF_RANGE' && !signal.aborted) {
      await store.follow(namespaceId, { items: [], followed: CURSOR_START });
    }
    throw thrown;
  }
  throw new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'metadata ended the subscription');
}

function itemsOf({ entries }: FeedPage): NewItem[] {
  const wire = entries.flatMap(({ item }) => (item === undefined ? [] : [item]));
  const encoded = encodeWireItems(wire);
  return wire.map((item, index) => ({
    item: itemFromWire(`entries[${index}].item`, item),
    encoded: encoded[index] ?? new Uint8Array(0),
  }));
}
