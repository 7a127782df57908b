import type { ReadableFeed } from '../../../client/connection/feed-calls.js';
import { systemClock } from '../../../common/clock.js';
import { DrystoneError } from '../../../common/errors.js';
import { parseFeedQuery } from '../../../common/feed-service/feed-methods.js';
import { FeedReader } from '../../../common/feed-service/feed-reader.js';
import type { DeviceIdentity } from '../../../common/identity/identity.js';
import { parseReplicaId } from '../../../common/ids.js';
import { Readers } from '../../../metadata/feed/readers.js';
import type { MetadataStore } from '../../../metadata/store/contract.js';
import { FeedPage, type ReadFeedRequest, type SubscribeRequest } from '../../../proto/gen/drystone/feed/v1/feed.js';
import { ana, shared } from './furnished-store.js';
import { deviceNamed } from './samples.js';

const READER: DeviceIdentity = { kind: 'device', deviceId: deviceNamed('laptop'), account: ana };

/** How a subscription of {@link servedFeed} ends. */
export const BROKEN = new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'the line broke');

/** The feed of the shared namespace as metadata serves it, one item a page; a subscription breaks when it has come to the end. */
export function servedFeed(store: MetadataStore): ReadableFeed {
  const reader = new FeedReader(store.journal, 1_000_000);
  const readers = new Readers(store, systemClock);
  const readFeed = async (request: ReadFeedRequest): Promise<FeedPage> => {
    const query = parseFeedQuery({ ...request, pageSize: 1 });
    const place = await readers.place(shared.id, READER, query.after);
    const page = await reader.read(shared.id, { ...query, ...place });
    readers.moved(shared.id, READER, place, page.nextCursor);
    return FeedPage.decode(page.bytes);
  };
  const subscribe = async function* (request: SubscribeRequest): AsyncGenerator<FeedPage> {
    const query = { ...request, pageSize: 1, pathPrefix: '' };
    const place = await readers.place(shared.id, READER, parseFeedQuery(query).after);
    await readers.subscribed(shared.id, parseReplicaId('replica_id', request.replicaId), place);
    for (let at = query, isCaughtUp = false; !isCaughtUp;) {
      const page = await readFeed(at);
      yield page;
      at = { ...at, afterCursor: page.nextCursor, afterHistory: page.history };
      isCaughtUp = page.caughtUp;
    }
    throw BROKEN;
  };
  return { readFeed, subscribe };
}
