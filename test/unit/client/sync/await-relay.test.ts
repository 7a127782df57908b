import { beforeEach, expect, it } from 'vitest';
import { MemoryTreeStore } from '../../../../client/state/memory-tree-store.js';
import { awaitRelay } from '../../../../client/sync/await-relay.js';
import { Inbox } from '../../../../client/sync/inbox.js';
import { Owed } from '../../../../client/sync/owed.js';
import { Standing } from '../../../../client/upstream/standing.js';
import type { Upstream } from '../../../../client/upstream/upstream.js';
import type { ItemPath } from '../../../../common/feed/item.js';
import type { AgentId } from '../../../../common/ids.js';
import { DIRECTORY, itemFrom, stateBy } from '../../../support/feed/sample-states.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { waitUntil } from '../../../support/wait-until.js';

const PATIENCE_MS = 1000;

let store: MemoryTreeStore;
let clock: ManualClock;
let inbox: Inbox;
let standing: Standing;
let owed: Owed;
let ended: AbortController;
let waiting: Promise<void>;

beforeEach(async () => {
  clock = new ManualClock();
  inbox = new Inbox();
  ended = new AbortController();
  const upstream = {} as Upstream;
  const onChange = (): void => undefined;
  standing = new Standing({
    clock,
    relayPatienceMs: PATIENCE_MS,
    metadata: upstream,
    agent: () => upstream,
    own: upstream,
    onChange,
  });
  owed = new Owed(standing);
  store = new MemoryTreeStore();
  const told = itemFrom('told', [stateBy('a', 1, 1, DIRECTORY)]);
  await store.write({ provisional: new Map([[told.path, told]]) });
  waiting = awaitRelay({ standing, store, inbox, owed, clock }, ended.signal);
});

async function untilItWaits(): Promise<void> {
  await waitUntil('it counts the time', () => clock.sleepingMs.length > 0);
}

it('once agents have had their time, what metadata was not told is planned', async () => {
  standing.caughtUp();
  await untilItWaits();
  clock.advance(PATIENCE_MS - 1);
  expect(inbox.takeChangedPaths()).toEqual(new Set());
  clock.advance(1);
  await waitUntil('it is planned', () => inbox.takeChangedPaths()?.has('told' as never));
  ended.abort();
  await waiting;
});

it('metadata that goes away meanwhile takes the time with it', async () => {
  standing.caughtUp();
  await untilItWaits();
  standing.deserted();
  await waitUntil('it counts no more', () => clock.sleepingMs.length === 0);
  clock.advance(PATIENCE_MS);
  expect(inbox.takeChangedPaths()).toEqual(new Set());
  ended.abort();
  await waiting;
});

it('an agent that stands in is told once what peers alone could hear, and nothing is forgotten for it', async () => {
  const [agent, other] = ['a', 'b'].map((letter) => letter.repeat(32) as AgentId) as [AgentId, AgentId];
  const planned = (): Promise<unknown> =>
    waitUntil('it is planned', () => inbox.takeChangedPaths()?.has('told' as ItemPath));
  standing.atAgent(agent);
  await planned();
  expect([owed.isDue('told' as ItemPath), owed.isDue('other' as ItemPath)]).toEqual([true, false]);
  owed.said('told' as ItemPath);
  standing.atAgent(other);
  standing.deserted();
  standing.hearsPeers(1);
  expect(owed.isDue('told' as ItemPath)).toBe(false);
  expect(inbox.takeChangedPaths()).toEqual(new Set());
  standing.atAgent(other);
  await planned();
  expect([owed.isDue('told' as ItemPath), store.provisionalCount]).toEqual([true, 1]);
  ended.abort();
  await waiting;
});

it('what the folder has put something else in the place of is not forgotten: where that cannot be said, it comes back', async () => {
  const told = itemFrom('removed', [stateBy('a', 1, 1, DIRECTORY)]);
  const items = new Map([[told.path, told]]);
  await store.write({ provisional: items, remote: items, synced: items });
  standing.caughtUp();
  await untilItWaits();
  clock.advance(PATIENCE_MS);
  await waitUntil('it is planned', () => inbox.takeChangedPaths()?.has(told.path));
  expect(store.provisional.get(told.path)).toBe(told);
  ended.abort();
  await waiting;
});

it('what the folder no longer holds, having seen what came of it, is not for it to say', async () => {
  const told = itemFrom('replaced', [stateBy('a', 1, 1, DIRECTORY)]);
  const cameOfIt = itemFrom('replaced', [
    stateBy('b', 1, 2, { kind: 'symlink', target: 'x' }),
    stateBy('a', 1, 1, DIRECTORY),
  ]);
  await store.write({ provisional: new Map([[told.path, told]]), remote: new Map([[told.path, cameOfIt]]) });
  standing.caughtUp();
  await untilItWaits();
  clock.advance(PATIENCE_MS);
  await waitUntil('it is forgotten', () => store.provisional.get(told.path) === undefined);
  expect(store.provisionalCount).toBe(1);
  let planned: ReadonlySet<ItemPath> | undefined;
  await waitUntil('something is planned', () => (planned = inbox.takeChangedPaths())?.size);
  expect(planned, 'also what is not to be said: a conflict with it may have waited').toEqual(
    new Set(['replaced', 'told']),
  );
  ended.abort();
  await waiting;
});
