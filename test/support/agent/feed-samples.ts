import type { FeedStore, ProvisionalPush } from '../../../agent/feed/feed-store.js';
import type { FeedQuery } from '../../../common/feed-service/feed-source.js';
import { decodeItem, itemToWire } from '../../../common/feed/item-codec.js';
import type { Item } from '../../../common/feed/item.js';
import type { DeviceId, NamespaceId } from '../../../common/ids.js';
import { PushRequest } from '../../../proto/gen/drystone/feed/v1/feed.js';
import { WHOLE_FEED } from '../metadata/furnished-store.js';
import { deviceNamed, namespaceIdNamed, newItem } from '../metadata/samples.js';

export const shared = namespaceIdNamed('shared');
export const other = namespaceIdNamed('other');

/** What ana's device pushes; without an endorsement, at which no store looks. */
export function pushOf(items: readonly Item[], committer: DeviceId = deviceNamed('ana')): ProvisionalPush {
  const request = { namespaceId: shared, items: items.map(itemToWire), receipts: [], endorsement: undefined };
  return { batch: { items: items.map(newItem), committer }, message: PushRequest.encode(request).finish() };
}

/** What a feed holds: "cursor path". */
export async function feedOf(store: FeedStore, namespaceId: NamespaceId, query: Partial<FeedQuery> = {}) {
  const { entries } = await store.readFeed(namespaceId, { ...WHOLE_FEED, ...query });
  return entries.map(({ cursor, item }) => `${cursor} ${decodeItem(item).path}`);
}

/** The paths of the messages that wait, one list a message; they are taken out of the log. */
export async function emptyLog(store: FeedStore, namespaceId: NamespaceId): Promise<string[][]> {
  const messages: string[][] = [];
  for (;;) {
    const first = await store.firstProvisional(namespaceId);
    if (first === undefined) return messages;
    messages.push(PushRequest.decode(first.message).items.map(({ path }) => path));
    await store.removeProvisional(namespaceId, first.sequence);
  }
}
