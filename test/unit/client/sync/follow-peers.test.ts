import { beforeEach, expect, it } from 'vitest';
import type { PeerFeed } from '../../../../client/peers/peer-directory.js';
import { MemoryTreeStore } from '../../../../client/state/memory-tree-store.js';
import { InHand } from '../../../../client/sync/in-hand.js';
import { followPeers } from '../../../../client/sync/follow-peers.js';
import { Standing } from '../../../../client/upstream/standing.js';
import type { Upstream } from '../../../../client/upstream/upstream.js';
import { ChangeSignal } from '../../../../common/concurrency/change-signal.js';
import { DrystoneError } from '../../../../common/errors.js';
import { itemToWire } from '../../../../common/feed/item-codec.js';
import type { ItemPath } from '../../../../common/feed/item.js';
import type { AgentId, DeviceId, NamespaceId, ReplicaId } from '../../../../common/ids.js';
import { clientLimits, peerLimits } from '../../../../common/limits.js';
import { silentLogger } from '../../../../common/logging.js';
import type { FeedPage } from '../../../../proto/gen/drystone/feed/v1/feed.js';
import { DIRECTORY, itemFrom, stateBy } from '../../../support/feed/sample-states.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { waitUntil } from '../../../support/wait-until.js';

const [one, other] = ['1', '2'].map((digit) => digit.repeat(32) as DeviceId) as [DeviceId, DeviceId];
const BROKEN = new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'the line broke');
const READER = new DrystoneError('PERMISSION_DENIED', 'ROLE_INSUFFICIENT', 'may only read');

let clock: ManualClock;
let store: MemoryTreeStore;
let standing: Standing;
let modes: string[];
let connected: Set<DeviceId>;
let news: ChangeSignal;
let lost: string[];
/** How often each was subscribed to, what it answers with in place of its feed, and what breaks it off. */
let asked: Map<DeviceId, number>;
let refusing: Map<DeviceId, DrystoneError>;
let breaking: Map<DeviceId, (error: DrystoneError) => void>;
let ended: AbortController;
let following: Promise<void>;

beforeEach(() => {
  clock = new ManualClock();
  store = new MemoryTreeStore();
  [modes, lost, connected, news] = [[], [], new Set(), new ChangeSignal()];
  asked = new Map();
  refusing = new Map();
  breaking = new Map();
  ended = new AbortController();
  const upstream = {} as Upstream;
  standing = new Standing({
    clock,
    relayPatienceMs: 0,
    metadata: upstream,
    agent: () => upstream,
    own: upstream,
    onChange: (mode) => modes.push(mode),
  });
  following = followPeers(
    {
      standing,
      clock,
      logger: silentLogger(),
      peers: { feeds: () => [...connected].map(peerOf), arm: (signal) => news.arm(signal) },
      following: ({ deviceId, feed }) => ({
        namespaceId: '0'.repeat(32) as NamespaceId,
        replica: 'e'.repeat(32) as ReplicaId,
        device: 'd'.repeat(32) as DeviceId,
        endpoint: `peer ${deviceId}`,
        feed,
        store,
        inHand: new InHand(store),
        onPage: () => undefined,
        onReset: () => undefined,
      }),
    },
    ended.signal,
  );
});

function peerOf(deviceId: DeviceId): PeerFeed {
  const subscribe = (_request: unknown, { signal }: { signal: AbortSignal }) => subscription(deviceId, signal);
  const onLost = (): void => {
    lost.push(deviceId.slice(0, 1));
    connected.delete(deviceId);
  };
  return { deviceId, feed: { subscribe } as unknown as PeerFeed['feed'], onLost };
}

async function* subscription(deviceId: DeviceId, signal: AbortSignal): AsyncGenerator<FeedPage> {
  asked.set(deviceId, (asked.get(deviceId) ?? 0) + 1);
  const refusal = refusing.get(deviceId);
  if (refusal !== undefined) throw refusal;
  const item = itemToWire(itemFrom(`told by ${deviceId.slice(0, 1)}`, [stateBy('c', 1, 1, DIRECTORY)]));
  yield { entries: [{ cursor: 7n, item }], nextCursor: 7n, caughtUp: true };
  throw await new Promise<DrystoneError>((resolve) => {
    breaking.set(deviceId, resolve);
    signal.addEventListener('abort', () => resolve(BROKEN));
  });
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  await waitUntil(what, () => isSo());
}

async function afterRest(): Promise<void> {
  await until('it rests', () => clock.sleepingMs.length > 0);
  clock.advance(clientLimits.standInRetryMs);
}

it('peers are followed, all of them, for as long as metadata and agents are away', async () => {
  connected.add(one);
  expect(asked.size, 'nobody is asked while there is metadata').toBe(0);
  standing.deserted();
  await until('one is heard', () => standing.mode === 'peers');
  connected.add(other);
  news.notify();
  await until('both are heard', () => store.remote.get('told by 2' as ItemPath) !== undefined);
  expect([store.cursorOf(`peer ${one}`), store.cursorOf(`peer ${other}`), store.cursor]).toEqual([7, 7, 0]);
  standing.atAgent('a'.repeat(32) as AgentId);
  standing.deserted();
  await until('they are heard again', () => standing.mode === 'peers' && asked.get(other) === 2);
  standing.online();
  expect([modes, lost]).toEqual([['alone', 'peers', 'agent', 'alone', 'peers', 'online'], []]);
  ended.abort();
  await following;
});

it('a peer whose line breaks is told to be gone, and the last leaves this folder alone', async () => {
  connected.add(one);
  standing.deserted();
  await until('one is heard', () => breaking.has(one));
  breaking.get(one)!(BROKEN);
  await until('nobody is left', () => standing.mode === 'alone');
  expect(lost).toEqual(['1']);
  connected.add(one);
  news.notify();
  await until('it is back', () => standing.mode === 'peers');
  ended.abort();
  await following;
});

it('a peer that is not to be believed is left alone for a while, and keeps its connection', async () => {
  connected.add(one).add(other);
  refusing.set(one, READER);
  standing.deserted();
  await until('the other is heard', () => standing.mode === 'peers');
  await afterRest();
  await afterRest();
  expect([asked.get(one), lost, store.remote.get('told by 1' as ItemPath)]).toEqual([1, [], undefined]);
  refusing.clear();
  clock.advance(peerLimits.pauseMs);
  await until('it is heard as well', () => store.remote.get('told by 1' as ItemPath) !== undefined);
  ended.abort();
  await following;
});
