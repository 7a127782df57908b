import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AgentId, PremisesName } from '../../common/ids.js';
import { choosePlacement, type PlacementCandidate } from '../../metadata/directory/placement.js';

const candidates = fc
  .array(fc.record({ premises: fc.constantFrom('faro', 'lisbon', 'porto', 'sintra'), freeBytes: fc.nat({ max: 5 }) }), {
    minLength: 1,
    maxLength: 12,
  })
  .map((drafts) =>
    drafts.map(({ premises, freeBytes }, index): PlacementCandidate => {
      return { id: `${index}`.padStart(32, '0') as AgentId, premises: premises as PremisesName, freeBytes };
    }),
  );

/** Candidates, how many to choose, and the same candidates in another order. */
const cases = candidates.chain((all) =>
  fc.tuple(
    fc.constant(all),
    fc.integer({ min: 1, max: all.length }),
    fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length }),
  ),
);

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, number) => total + number, 0);

function countByPremises(agents: readonly PlacementCandidate[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { premises } of agents) counts.set(premises, (counts.get(premises) ?? 0) + 1);
  return counts;
}

describe('choosePlacement', () => {
  it('chooses as many as asked for, each once, whatever the order', () => {
    fc.assert(
      fc.property(cases, ([all, replicas, shuffled]) => {
        const chosen = choosePlacement(all, replicas);
        expect(new Set(chosen).size).toBe(replicas);
        expect(choosePlacement(shuffled, replicas)).toEqual(chosen);
      }),
    );
  });

  it('spreads over premises: none gets another agent while one with agents left has fewer', () => {
    fc.assert(
      fc.property(cases, ([all, replicas]) => {
        const ids = new Set(choosePlacement(all, replicas));
        const chosen = countByPremises(all.filter(({ id }) => ids.has(id)));
        const available = countByPremises(all);
        for (const [premises, count] of available) {
          const here = chosen.get(premises) ?? 0;
          if (here < count) for (const there of chosen.values()) expect(there).toBeLessThanOrEqual(here + 1);
        }
      }),
    );
  });

  it('takes those with the most free space of each site, and among sites', () => {
    fc.assert(
      fc.property(cases, ([all, replicas]) => {
        const ids = new Set(choosePlacement(all, replicas));
        for (const left of all.filter(({ id }) => !ids.has(id))) {
          for (const taken of all.filter(({ id, premises }) => ids.has(id) && premises === left.premises)) {
            expect(taken.freeBytes).toBeGreaterThanOrEqual(left.freeBytes);
          }
        }
        if (replicas === 1) {
          const free = sum(all.filter(({ id }) => ids.has(id)).map(({ freeBytes }) => freeBytes));
          expect(free).toBe(Math.max(...all.map(({ freeBytes }) => freeBytes)));
        }
      }),
    );
  });

  it('refuses to choose from too few', () => {
    fc.assert(
      fc.property(candidates, (all) => {
        expect(() => choosePlacement(all, all.length + 1)).toThrow(
          expect.objectContaining({ reason: 'AGENTS_TOO_FEW' }),
        );
      }),
    );
  });
});
