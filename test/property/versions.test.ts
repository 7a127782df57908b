import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVersions, counterOf, covers, joinVersions, NO_VERSION } from '../../common/feed/version.js';
import { replicaIds, versions } from '../support/feed-arbitraries.js';

const mirrored = { equal: 'equal', dominates: 'dominated', dominated: 'dominates', concurrent: 'concurrent' } as const;
const notBelow = ['equal', 'dominates'];

describe('versions', () => {
  it('are in the same relation from either side', () => {
    fc.assert(fc.property(versions, versions, (a, b) => compareVersions(b, a) === mirrored[compareVersions(a, b)]));
  });

  it('are ordered: what dominates the dominating dominates', () => {
    fc.assert(
      fc.property(versions, versions, versions, (a, b, c) => {
        if (compareVersions(a, b) !== 'dominates' || compareVersions(b, c) !== 'dominates') return;
        expect(compareVersions(a, c)).toBe('dominates');
      }),
    );
  });

  it('are equal exactly where they say the same', () => {
    fc.assert(
      fc.property(versions, versions, (a, b) => {
        expect(compareVersions(a, b) === 'equal').toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });

  it('are joined whatever the order and however often, to the smallest that none exceeds', () => {
    fc.assert(
      fc.property(versions, versions, versions, (a, b, c) => {
        const joined = joinVersions(a, b);
        expect(joinVersions(b, a)).toEqual(joined);
        expect(joinVersions(joined, a)).toEqual(joined);
        expect(joinVersions(joinVersions(a, b), c)).toEqual(joinVersions(a, joinVersions(b, c)));
        expect(notBelow).toContain(compareVersions(joined, a));
        expect(notBelow).toContain(compareVersions(joined, b));
        const isAboveBoth = notBelow.includes(compareVersions(c, a)) && notBelow.includes(compareVersions(c, b));
        if (isAboveBoth) expect(notBelow).toContain(compareVersions(c, joined));
      }),
    );
  });

  it('know a change and all that its replica made before, and say so when joined with it', () => {
    fc.assert(
      fc.property(
        versions,
        fc.constantFrom(...replicaIds),
        fc.integer({ min: 1, max: 5 }),
        (version, replicaId, counter) => {
          const change = { replicaId, counter };
          expect(covers(version, change)).toBe(counterOf(version, replicaId) >= counter);
          const joined = joinVersions(version, [change]);
          expect(covers(joined, change)).toBe(true);
          expect(compareVersions(joined, version)).toBe(covers(version, change) ? 'equal' : 'dominates');
        },
      ),
    );
  });

  it('of two replicas that change the same state are concurrent', () => {
    fc.assert(
      fc.property(versions, fc.shuffledSubarray(replicaIds, { minLength: 2, maxLength: 2 }), (base, pair) => {
        const [one, other] = pair.map((replicaId) =>
          joinVersions(base, [{ replicaId, counter: counterOf(base, replicaId) + 1 }]),
        );
        expect(compareVersions(one!, other!)).toBe('concurrent');
      }),
    );
  });

  it('of nobody are below all others, and stay sorted', () => {
    fc.assert(
      fc.property(versions, versions, (a, b) => {
        expect(compareVersions(NO_VERSION, a)).toBe(a.length === 0 ? 'equal' : 'dominated');
        const ids = joinVersions(a, b).map(({ replicaId }) => replicaId);
        expect(ids).toEqual([...new Set(ids)].sort());
      }),
    );
  });
});
