import { beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../../common/clock.js';
import { FeedReader } from '../../../../common/feed-service/feed-reader.js';
import { Subscriptions } from '../../../../common/feed-service/subscriptions.js';
import { WatcherLimit } from '../../../../common/feed-service/watcher-limit.js';
import type { DeviceIdentity } from '../../../../common/identity/identity.js';
import { metadataLimits } from '../../../../common/limits.js';
import { Compactor } from '../../../../metadata/feed/compactor.js';
import { Readers } from '../../../../metadata/feed/readers.js';
import type { MetadataStore } from '../../../../metadata/store/contract.js';
import { createMemoryStore } from '../../../../metadata/store/memory-store.js';
import { ana, commitItems, furnish, shared } from '../../../support/metadata/furnished-store.js';
import { cursor, deviceNamed, itemAt, replicaNamed } from '../../../support/metadata/samples.js';

const READER: DeviceIdentity = { kind: 'device', deviceId: deviceNamed('laptop'), account: ana };
const { tombstoneAgeMs } = metadataLimits;

let store: MetadataStore;
let readers: Readers;
let reader: FeedReader;

/** Four paths, of which the second and the third are deleted: what is left is at 1, 4, 5 and 6. */
beforeEach(async () => {
  store = createMemoryStore();
  readers = new Readers(store, systemClock);
  reader = new FeedReader(store.journal, 1_000_000);
  await furnish(store);
  await commitItems(
    store,
    ['a', 'b', 'c', 'd'].map((path) => itemAt(path)),
  );
  await commitItems(
    store,
    ['b', 'c'].map((path) => itemAt(path, { ana: 2 }, { kind: 'deletion' })),
  );
});

/** Lets the time pass after which all deletions of now are forgotten. */
async function forget(): Promise<void> {
  const nowMs = systemClock.nowMs();
  await store.knowledge.compact(shared.id, nowMs);
  await store.knowledge.compact(shared.id, nowMs + tombstoneAgeMs);
}

/** A page of one entry, as FeedService.ReadFeed reads it. */
async function readOne(after: number): Promise<number> {
  const place = await readers.place(shared.id, READER, cursor(after));
  const page = await reader.read(shared.id, { maxEntries: 1, pathPrefix: '', ...place });
  readers.moved(shared.id, READER, place, page.nextCursor);
  return page.nextCursor;
}

async function firstPage(after: number): Promise<number> {
  const subscriptions = new Subscriptions(reader, new WatcherLimit(1));
  const place = await readers.place(shared.id, READER, cursor(after));
  const admit = (): Promise<void> => Promise.resolve();
  for await (const page of subscriptions.subscribe({ namespaceId: shared.id, ...place, admit }, AbortSignal.any([]))) {
    return page.entryCount;
  }
  throw new Error('the subscription has ended');
}

describe('a reader behind what was forgotten', () => {
  test('is told to begin again, whichever way it reads', async () => {
    expect(await readOne(4)).toBe(5);
    await forget();
    await expect(readOne(4)).rejects.toMatchObject({ code: 'OUT_OF_RANGE', reason: 'CURSOR_FORGOTTEN' });
    await expect(firstPage(5)).rejects.toMatchObject({ reason: 'CURSOR_FORGOTTEN' });
  });

  test('is not one who has seen the last of it, and not one who begins', async () => {
    await forget();
    expect(await firstPage(6)).toBe(0);
    expect(await firstPage(0)).toBe(2);
  });

  test('is not one who has begun since, and reads page by page', async () => {
    await forget();
    expect(await readOne(0)).toBe(1);
    expect(await readOne(1)).toBe(6);
  });

  test('is one who had begun before', async () => {
    expect(await readOne(0)).toBe(1);
    await commitItems(store, [itemAt('d', { ana: 2 }, { kind: 'deletion' })]);
    await forget();
    await expect(readOne(1)).rejects.toMatchObject({ reason: 'CURSOR_FORGOTTEN' });
  });
});

test('a replica has seen what lies before the cursor from which it subscribes; a new one what was deleted before', async () => {
  for (const [name, after] of [
    ['old', 4],
    ['new', 0],
  ] as const) {
    const place = await readers.place(shared.id, READER, cursor(after));
    await readers.subscribed(shared.id, replicaNamed(name), place);
  }
  const seen = Object.fromEntries((await store.knowledge.list(shared.id)).map((row) => [row.id, row.seen]));
  expect(seen).toEqual({ [replicaNamed('old')]: 4, [replicaNamed('new')]: 6 });
});

test('all namespaces are looked through, and what was forgotten is counted', async () => {
  let forgotten = 0;
  const nowMs = systemClock.nowMs();
  await store.knowledge.compact(shared.id, nowMs);
  const clock = { ...systemClock, nowMs: () => nowMs + tombstoneAgeMs };
  const compactor = new Compactor({ store, clock, onForgotten: (count) => (forgotten += count) });
  await compactor.compactAll(AbortSignal.any([]));
  expect(forgotten).toBe(2);
});
