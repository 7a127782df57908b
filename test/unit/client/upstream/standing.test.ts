import { beforeEach, expect, it } from 'vitest';
import { Standing } from '../../../../client/upstream/standing.js';
import type { Upstream } from '../../../../client/upstream/upstream.js';
import type { AgentId } from '../../../../common/ids.js';
import { ManualClock } from '../../../support/manual-clock.js';

const [one, other] = ['a', 'b'].map((letter) => letter.repeat(32) as AgentId) as [AgentId, AgentId];
const metadata = { isProvisional: false } as Upstream;
const own = { isProvisional: true, takesBlocks: false } as Upstream;

let clock: ManualClock;
let modes: string[];
let standing: Standing;

beforeEach(() => {
  clock = new ManualClock();
  modes = [];
  standing = new Standing({
    clock,
    relayPatienceMs: 1000,
    metadata,
    agent: (agentId) => ({ isProvisional: true, agentId }) as unknown as Upstream,
    own,
    onChange: (mode) => modes.push(mode),
  });
});

it('changes go to the agent that stands in while one does, and to metadata otherwise', () => {
  expect(standing.upstream).toBe(metadata);
  standing.atAgent(one);
  expect(standing.upstream).toMatchObject({ isProvisional: true, agentId: one });
  standing.atAgent(other);
  expect(standing.upstream).toMatchObject({ agentId: other });
  standing.deserted();
  expect(standing.upstream).toBe(metadata);
  standing.online();
  standing.online();
  expect(modes).toEqual(['agent', 'agent', 'alone', 'online']);
});

it('with peers alone changes stay here for them to hear, from the first that is heard to the last', () => {
  standing.hearsPeers(1);
  standing.deserted();
  expect([standing.upstream, standing.isDeserted]).toEqual([metadata, true]);
  standing.hearsPeers(1);
  expect([standing.upstream, standing.isDeserted]).toEqual([own, true]);
  standing.hearsPeers(0);
  expect([standing.upstream, standing.isDeserted]).toEqual([metadata, true]);
  standing.hearsPeers(2);
  const { served } = standing;
  standing.atAgent(one);
  expect([served.aborted, standing.served.aborted, standing.upstream]).toMatchObject([true, false, { agentId: one }]);
  standing.deserted();
  standing.online();
  expect(modes).toEqual(['alone', 'peers', 'alone', 'peers', 'agent', 'alone', 'online']);
});

it('an agent is owed what peers may have heard: at the start, and after each time', () => {
  expect(standing.takeOwesAgent(), 'there is no agent').toBe(false);
  standing.atAgent(one);
  expect([standing.takeOwesAgent(), standing.takeOwesAgent()]).toEqual([true, false]);
  standing.deserted();
  standing.atAgent(one);
  expect(standing.takeOwesAgent(), 'nobody was there to hear').toBe(false);
  standing.deserted();
  standing.hearsPeers(1);
  standing.atAgent(other);
  expect(standing.takeOwesAgent()).toBe(true);
});

it('agents have their time from when metadata was read to its end, and each time it is back', () => {
  standing.online();
  clock.advance(5000);
  expect(standing.isProvisionalDue, 'it was not read to its end').toBe(false);
  standing.caughtUp();
  clock.advance(999);
  standing.caughtUp();
  expect(standing.isProvisionalDue).toBe(false);
  clock.advance(1);
  expect(standing.isProvisionalDue).toBe(true);
  standing.atAgent(one);
  expect(standing.isProvisionalDue).toBe(false);
  standing.caughtUp();
  expect(standing.relayLeftMs).toBe(1000);
});
