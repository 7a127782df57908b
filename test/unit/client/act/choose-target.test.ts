import { expect, it } from 'vitest';
import { cheapest, rankCandidates, type Candidate } from '../../../../client/act/choose-target.js';
import { parseAgentId, parsePremisesName, type AgentId } from '../../../../common/ids.js';

const lisbon = parsePremisesName('premises', 'lisbon');
const porto = parsePremisesName('premises', 'porto');

/** An agent whose id is made of one letter. */
function candidate(letter: string, traits: Partial<Candidate> = {}): Candidate {
  const agentId = parseAgentId('agent_id', letter.repeat(32));
  return { agentId, premises: lisbon, address: '127.0.0.1:1', state: 'online', isFailing: false, ...traits };
}

const letters = (tiers: readonly (readonly Candidate[])[]): string[][] =>
  tiers.map((tier) => tier.map(({ agentId }) => agentId.slice(0, 1)));

const candidates = [
  candidate('a', { isFailing: true }),
  candidate('b', { state: 'offline' }),
  candidate('c', { state: 'draining' }),
  candidate('d', { premises: porto }),
  candidate('e'),
  candidate('f'),
];

it('agents that answer come before the near ones, and what has just failed comes last', () => {
  expect(letters(rankCandidates(candidates, 'store', lisbon))).toEqual([['e', 'f'], ['d'], ['b', 'c'], ['a']]);
});

it('an agent that drains still gives blocks, and takes none', () => {
  expect(letters(rankCandidates(candidates, 'fetch', lisbon))).toEqual([['c', 'e', 'f'], ['d'], ['b'], ['a']]);
});

it('without a site of its own a client finds all sites equally near', () => {
  expect(letters(rankCandidates(candidates, 'store', undefined))[0]).toEqual(['d', 'e', 'f']);
});

it('of several the one that lacks the fewest blocks is taken, then the one with the smaller id', () => {
  const [e, f] = [candidate('e'), candidate('f')];
  const lacking = (ofE: number, ofF: number): ReadonlyMap<AgentId, number> =>
    new Map([
      [e.agentId, ofE],
      [f.agentId, ofF],
    ]);
  expect(cheapest([e, f], lacking(5, 3))).toBe(f);
  expect(cheapest([f, e], lacking(3, 3))).toBe(e);
});

it('an agent of which nothing is known is the last choice, and no agent is no choice', () => {
  const [e, f] = [candidate('e'), candidate('f')];
  expect(cheapest([e, f], new Map([[f.agentId, 4096]]))).toBe(f);
  expect(cheapest([], new Map())).toBeUndefined();
});
