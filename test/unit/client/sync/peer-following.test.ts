import { beforeEach, expect, it } from 'vitest';
import type { PeerFeed } from '../../../../client/peers/peer-directory.js';
import { MemoryTreeStore } from '../../../../client/state/memory-tree-store.js';
import { catchUp } from '../../../../client/sync/feed-follower.js';
import { InHand } from '../../../../client/sync/in-hand.js';
import { Inbox } from '../../../../client/sync/inbox.js';
import { peerFollowing } from '../../../../client/sync/peer-following.js';
import { itemToWire } from '../../../../common/feed/item-codec.js';
import type { ItemPath } from '../../../../common/feed/item.js';
import type { Cursor, DeviceId, NamespaceId, ReplicaId } from '../../../../common/ids.js';
import { feedLimits } from '../../../../common/limits.js';
import type { FeedPage, Item as WireItem } from '../../../../proto/gen/drystone/feed/v1/feed.js';
import { rejection } from '../../../support/async-tools.js';
import { DIRECTORY, itemFrom, stateBy } from '../../../support/feed/sample-states.js';
import { ManualClock } from '../../../support/manual-clock.js';

const NOW_MS = 1_700_000_000_000;
const peer = '1'.repeat(32) as DeviceId;

let store: MemoryTreeStore;
let inbox: Inbox;
beforeEach(() => {
  store = new MemoryTreeStore();
  inbox = new Inbox();
});

/** Reads a feed of one page that holds this. */
function hear(item: WireItem): Promise<void> {
  const page: FeedPage = { entries: [{ cursor: 5n, item }], nextCursor: 5n, caughtUp: true };
  const feed = { readFeed: () => Promise.resolve(page) } as unknown as PeerFeed['feed'];
  const parts = {
    namespaceId: '0'.repeat(32) as NamespaceId,
    replica: 'e'.repeat(32) as ReplicaId,
    device: 'd'.repeat(32) as DeviceId,
    clock: new ManualClock(NOW_MS),
    ...{ store, inbox, inHand: new InHand(store) },
  };
  const heard = peerFollowing(parts, { deviceId: peer, feed, onLost: () => undefined });
  return catchUp(heard, new AbortController().signal);
}

const madeAt = (wallMs: number): WireItem => itemToWire(itemFrom('a', [stateBy('c', 1, wallMs, DIRECTORY)]));

it('what a peer says was made further ahead than clocks may differ is refused, and its page with it', async () => {
  const ahead = await rejection(hear(madeAt(NOW_MS + feedLimits.changeAheadMs + 1)));
  expect(ahead).toMatchObject({ reason: 'CLOCK_AHEAD' });
  expect([store.remote.get('a' as ItemPath), store.cursorOf(`peer ${peer}`)]).toEqual([undefined, 0]);
  await hear(madeAt(NOW_MS + feedLimits.changeAheadMs));
  expect([store.remote.get('a' as ItemPath)?.path, store.cursorOf(`peer ${peer}`), store.cursor]).toEqual(['a', 5, 0]);
});

it('an item that breaks the rules is refused, as from anybody', async () => {
  const escaping = { ...madeAt(1), path: '../a' };
  expect(await rejection(hear(escaping))).toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect([...store.remote.pathsBelow('')]).toEqual([]);
});

it('a folder that has never read metadata’s feed is not taken for up to date by a peer’s', async () => {
  await hear(madeAt(1));
  expect(inbox.isCaughtUp).toBe(false);
  await store.write({ cursor: 3 as Cursor });
  await hear(madeAt(1));
  expect(inbox.isCaughtUp).toBe(true);
});
