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
