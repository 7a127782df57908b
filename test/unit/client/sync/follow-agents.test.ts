import { beforeEach, expect, it } from 'vitest';
import type { Candidate } from '../../../../client/act/choose-target.js';
import type { FeedCalls } from '../../../../client/connection/feed-calls.js';
import { MemoryTreeStore } from '../../../../client/state/memory-tree-store.js';
import { InHand } from '../../../../client/sync/in-hand.js';
import { followAgents } from '../../../../client/sync/follow-agents.js';
import { MetadataReach } from '../../../../client/upstream/metadata-reach.js';
import { Standing } from '../../../../client/upstream/standing.js';
import type { Upstream } from '../../../../client/upstream/upstream.js';
import { DrystoneError } from '../../../../common/errors.js';
import { itemToWire } from '../../../../common/feed/item-codec.js';
import type { ItemPath } from '../../../../common/feed/item.js';
import type { AgentId, DeviceId, NamespaceId, PremisesName, ReplicaId } from '../../../../common/ids.js';
import { clientLimits } from '../../../../common/limits.js';
import type { FeedPage } from '../../../../proto/gen/drystone/feed/v1/feed.js';
import { DIRECTORY, itemFrom, stateBy } from '../../../support/feed/sample-states.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { waitUntil } from '../../../support/wait-until.js';

const AWAY = new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'nobody answers');
const [near, far] = ['b', 'a'].map((letter) => letter.repeat(32) as AgentId) as [AgentId, AgentId];
const here = 'here' as PremisesName;
const there = 'there' as PremisesName;

let clock: ManualClock;
let reach: MetadataReach;
let store: MemoryTreeStore;
let standing: Standing;
let modes: string[];
let failed: AgentId[];
/** Agents that answer; each subscription goes on until the agent is taken away. */
let answering: Set<AgentId>;
let broken: () => void;
let ended: AbortController;

beforeEach(() => {
  clock = new ManualClock();
  reach = new MetadataReach(clock);
  store = new MemoryTreeStore();
  [modes, failed, answering, ended] = [[], [], new Set([near, far]), new AbortController()];
  standing = new Standing({
    clock,
    relayPatienceMs: 0,
    metadata: {} as Upstream,
    agent: () => ({}) as Upstream,
    own: {} as Upstream,
    onChange: (mode) => modes.push(`${mode} ${standing.agentId?.slice(0, 1) ?? ''}`.trim()),
  });
});

async function* subscription(agentId: AgentId, signal: AbortSignal): AsyncGenerator<FeedPage> {
  if (!answering.has(agentId)) throw AWAY;
  const item = itemToWire(itemFrom(`told by ${agentId.slice(0, 1)}`, [stateBy('c', 1, 1, DIRECTORY)]));
  yield { entries: [{ cursor: 7n, item }], nextCursor: 7n, caughtUp: true };
  await new Promise<void>((resolve) => {
    broken = resolve;
    signal.addEventListener('abort', () => resolve());
  });
  throw AWAY;
}

function follow(): Promise<void> {
  const candidates = (): Candidate[] =>
    [far, near].map((agentId) => {
      const premises = agentId === near ? here : there;
      return { agentId, premises, address: 'x:1', state: 'online', isFailing: failed.includes(agentId) };
    });
  const agents = { candidates, noteFailure: (agentId: AgentId) => void failed.push(agentId) };
  return followAgents(
    {
      reach,
      standing,
      agents,
      premises: here,
      clock,
      following: (agentId) => ({
        namespaceId: '0'.repeat(32) as NamespaceId,
        replica: 'e'.repeat(32) as ReplicaId,
        device: 'd'.repeat(32) as DeviceId,
        endpoint: `agent ${agentId}`,
        feed: {
          subscribe: (_request: unknown, { signal }: { signal: AbortSignal }) => subscription(agentId, signal),
        } as unknown as FeedCalls,
        store,
        inHand: new InHand(store),
        onPage: () => undefined,
        onReset: () => undefined,
      }),
    },
    ended.signal,
  );
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  await waitUntil(what, () => isSo());
}

function goAway(): void {
  reach.failed(AWAY);
  clock.advance(clientLimits.metadataAwayMs);
}

it('while metadata is away the nearest agent stands in, and is heard; metadata that is back ends that', async () => {
  goAway();
  const following = follow();
  await until('an agent stands in', () => standing.agentId === near);
  expect(store.remote.get('told by b' as ItemPath)).toBeDefined();
  expect([store.cursorOf(`agent ${near}`), store.cursor]).toEqual([7, 0]);
  reach.answered();
  standing.online();
  goAway();
  await until('it stands in again', () => modes.length === 3);
  expect([modes, failed], 'that its time was over is not its failure').toEqual([['agent b', 'online', 'agent b'], []]);
  ended.abort();
  await following;
});

it('an agent that breaks off is followed by the next, and the last by nobody, until one is back', async () => {
  goAway();
  const following = follow();
  await until('an agent stands in', () => standing.agentId === near);
  answering.delete(near);
  broken();
  await until('it has a rest', () => clock.sleepingMs.length > 0);
  clock.advance(clientLimits.standInRetryMs);
  await until('the other stands in', () => standing.agentId === far);
  answering.clear();
  broken();
  await until('it has a rest', () => clock.sleepingMs.length > 0);
  clock.advance(clientLimits.standInRetryMs);
  await until('nobody is left', () => standing.mode === 'alone');
  failed = [];
  answering.add(near);
  clock.advance(clientLimits.standInRetryMs);
  await until('one is back', () => standing.agentId === near);
  expect(modes).toEqual(['agent b', 'agent a', 'alone', 'agent b']);
  ended.abort();
  await following;
});
