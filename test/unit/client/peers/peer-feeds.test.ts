import { beforeEach, expect, it } from 'vitest';
import type { FeedPage } from '../../../../proto/gen/drystone/feed/v1/feed.js';
import { itemFrom, stateBy } from '../../../support/feed/sample-states.js';
import { firstOf, rejection } from '../../../support/async-tools.js';
import { BlockFleet, newTokenKey } from '../../../support/blocks/block-fleet.js';
import { NAMESPACE, OTHER_NAMESPACE } from '../../../support/blocks/sample-blocks.js';
import { feedBetween, PeerEndpoint } from '../../../support/client/peer-endpoint.js';
import { waitUntil } from '../../../support/wait-until.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { ChangeSignal } from '../../../../common/concurrency/change-signal.js';
import { trustLimits } from '../../../../common/limits.js';

const subscribing = { namespaceId: NAMESPACE, afterCursor: 0n, replicaId: '' };
const reading = { namespaceId: NAMESPACE, afterCursor: 0n, pageSize: 0, pathPrefix: '' };

let fleet: BlockFleet;
let teller: PeerEndpoint;
let hearer: PeerEndpoint;

async function learn(path: string, counter = 1): Promise<void> {
  const item = itemFrom(path, [stateBy('a', counter, counter, 'content')]);
  await teller.store.write({ remote: new Map([[item.path, item]]) });
}

const pathsOf = ({ entries }: FeedPage): (string | undefined)[] => entries.map(({ item }) => item?.path);

beforeEach(async () => {
  fleet = await BlockFleet.create();
  teller = await PeerEndpoint.start(fleet);
  hearer = await PeerEndpoint.start(fleet);
  await learn('known');
});

it('an endpoint that may write tells another what it knows, and what it learns', async () => {
  const feed = await feedBetween(hearer, teller);
  const pages = feed.subscribe(subscribing);
  const first = (await pages.next()).value as FeedPage;
  expect([pathsOf(first), first.caughtUp]).toEqual([['known'], true]);
  const next = pages.next();
  await learn('learned');
  const second = (await next).value as FeedPage;
  expect([pathsOf(second), second.accessToken]).toEqual([['learned'], undefined]);
  await pages.return(undefined);
  expect(pathsOf(await feed.readFeed({ ...reading, afterCursor: first.nextCursor }))).toEqual(['learned']);
});

it('nobody hears what is not durable: after a loss of power the endpoint would not know of it', async () => {
  const feed = await feedBetween(hearer, teller);
  const synced = new ChangeSignal();
  teller.store.durable = () => synced.arm(new AbortController().signal);
  const heard: string[] = [];
  const hearing = [
    firstOf(feed.subscribe(subscribing)).then(() => heard.push('page')),
    feed.readFeed(reading).then(() => heard.push('answer')),
  ];
  await waitUntil('both are about to be told', () => synced.waiterCount >= 2);
  expect(heard).toEqual([]);
  synced.notify();
  await Promise.all(hearing);
});

const expired = { issuedAtMs: 0, expiresAtMs: 60_000 };
it.each<[what: string, reason: string, shown: () => Promise<string>]>([
  ['nothing', 'TOKEN_MISSING', async () => ''],
  ['no token', 'TOKEN_INVALID', async () => 'e30.e30.e30'],
  ['a forged one', 'TOKEN_INVALID', () => fleet.token(teller.held, undefined, { key: newTokenKey('k1') })],
  ['that of another device', 'TOKEN_INVALID', async () => fleet.token(await fleet.authority.device())],
  ['that of who hears it', 'TOKEN_INVALID', () => fleet.token(hearer.held)],
  ['one that is over', 'TOKEN_EXPIRED', () => fleet.token(teller.held, undefined, expired)],
  ['one of a reader', 'ROLE_INSUFFICIENT', () => fleet.token(teller.held, [[NAMESPACE, 'read']])],
  ['one of another namespace', 'ROLE_INSUFFICIENT', () => fleet.token(teller.held, [[OTHER_NAMESPACE, 'write']])],
])('of one that shows %s no page is believed', async (_what, reason, shown) => {
  teller.proof = shown;
  const feed = await feedBetween(hearer, teller);
  expect(await rejection(firstOf(feed.subscribe(subscribing)))).toMatchObject({ reason });
  expect(await rejection(feed.readFeed(reading))).toMatchObject({ reason });
});

it('what it shows ends, and with it what is believed, also when it says nothing more', async () => {
  const clock = new ManualClock(Date.now());
  hearer.clock = clock;
  const feed = await feedBetween(hearer, teller);
  const pages = feed.subscribe(subscribing);
  expect(pathsOf((await pages.next()).value as FeedPage)).toEqual(['known']);
  const next = rejection(pages.next());
  while (clock.sleepingMs.length === 0) await new Promise(setImmediate);
  clock.advance(trustLimits.accessTokenMs + trustLimits.accessTokenSkewMs + 1000);
  expect(await next).toMatchObject({ reason: 'TOKEN_EXPIRED' });
});
