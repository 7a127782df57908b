import { expect, test } from 'vitest';
import type { FeedCalls } from '../../../../client/connection/feed-calls.js';
import { MemoryTreeStore } from '../../../../client/state/memory-tree-store.js';
import { InHand } from '../../../../client/sync/in-hand.js';
import { followFeed } from '../../../../client/sync/feed-follower.js';
import { systemClock } from '../../../../common/clock.js';
import { DrystoneError } from '../../../../common/errors.js';
import { FeedReader } from '../../../../common/feed-service/feed-reader.js';
import type { ItemPath } from '../../../../common/feed/item.js';
import type { DeviceIdentity } from '../../../../common/identity/identity.js';
import { parseCursor, type DeviceId } from '../../../../common/ids.js';
import { metadataLimits } from '../../../../common/limits.js';
import { Readers } from '../../../../metadata/feed/readers.js';
import type { MetadataStore } from '../../../../metadata/store/contract.js';
import { createMemoryStore } from '../../../../metadata/store/memory-store.js';
import { FeedPage, type ReadFeedRequest, type SubscribeRequest } from '../../../../proto/gen/drystone/feed/v1/feed.js';
import { ana, commitItems, furnish, shared } from '../../../support/metadata/furnished-store.js';
import { deviceNamed, itemAt, replicaNamed } from '../../../support/metadata/samples.js';

const READER: DeviceIdentity = { kind: 'device', deviceId: deviceNamed('laptop'), account: ana };
const BROKEN = new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'the line broke');
const replica = replicaNamed('folder');

/** Metadata's feed as it serves it, one item a page; a subscription breaks when it has come to the end. */
function feedOf(store: MetadataStore): Pick<FeedCalls, 'readFeed' | 'subscribe'> {
  const reader = new FeedReader(store.journal, 1_000_000);
  const readers = new Readers(store, systemClock);
  const readFeed = async ({ afterCursor }: Pick<ReadFeedRequest, 'afterCursor'>): Promise<FeedPage> => {
    const place = await readers.place(shared.id, READER, parseCursor('after_cursor', afterCursor));
    const page = await reader.read(shared.id, { maxEntries: 1, pathPrefix: '', ...place });
    readers.moved(shared.id, READER, place, page.nextCursor);
    return FeedPage.decode(page.bytes);
  };
  const subscribe = async function* ({ afterCursor }: SubscribeRequest): AsyncGenerator<FeedPage> {
    const place = await readers.place(shared.id, READER, parseCursor('after_cursor', afterCursor));
    await readers.subscribed(shared.id, replica, place);
    for (let after = afterCursor, isCaughtUp = false; !isCaughtUp;) {
      const page = await readFeed({ afterCursor: after });
      yield page;
      [after, isCaughtUp] = [page.nextCursor, page.caughtUp];
    }
    throw BROKEN;
  };
  return { readFeed, subscribe };
}

test('a folder that comes back after a deletion was forgotten hears of it all the same, and goes on', async () => {
  const [metadata, folder] = [createMemoryStore(), new MemoryTreeStore()];
  await furnish(metadata);
  const follow = (): Promise<unknown> => {
    const told = { device: 'd'.repeat(32) as DeviceId, onPage: () => undefined, onReset: () => undefined };
    const inHand = new InHand(folder);
    const parts = {
      namespaceId: shared.id,
      endpoint: 'metadata',
      feed: feedOf(metadata),
      store: folder,
      inHand,
    } as const;
    return expect(followFeed({ ...parts, ...told, replica }, AbortSignal.any([]))).rejects.toBe(BROKEN);
  };
  const kindOf = (path: string): string | undefined => folder.remote.get(path as ItemPath)?.content.kind;
  await commitItems(metadata, [itemAt('stays'), itemAt('goes')]);
  await follow();
  expect(await metadata.knowledge.list(shared.id)).toMatchObject([{ id: replica, seen: 2 }]);

  await commitItems(metadata, [itemAt('goes', { ana: 2 }, { kind: 'deletion' })]);
  const nowMs = systemClock.nowMs();
  await metadata.knowledge.compact(shared.id, nowMs);
  await metadata.knowledge.compact(shared.id, nowMs + metadataLimits.tombstoneAgeMs);
  expect(await metadata.stats()).toMatchObject({ tombstones: 0 });
  await commitItems(metadata, [itemAt('new')]);
  await follow();
  expect([kindOf('stays'), kindOf('goes'), kindOf('new')]).toEqual(['directory', 'deletion', 'directory']);
  expect(folder.remote.get('goes' as ItemPath)?.version, 'no number is given twice').toEqual(itemAt('goes').version);
  expect(folder.cursor).toBe(4);
});
