import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advanceVersion, compareVersions, joinVersions, NO_VERSION } from '../../common/feed/version.js';
import { deviceIds, versions } from '../support/feed-arbitraries.js';

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

  it('advance past where they were, by one, at their device alone', () => {
    fc.assert(
      fc.property(versions, fc.constantFrom(...deviceIds), (base, device) => {
        const next = advanceVersion(base, device);
        expect(compareVersions(next, base)).toBe('dominates');
        const counterOf = (version: typeof base): number =>
          version.find(({ deviceId }) => deviceId === device)?.counter ?? 0;
        expect(counterOf(next)).toBe(counterOf(base) + 1);
        expect(next.filter(({ deviceId }) => deviceId !== device)).toEqual(
          base.filter(({ deviceId }) => deviceId !== device),
        );
      }),
    );
  });

  it('of two devices that change the same state are concurrent', () => {
    fc.assert(
      fc.property(versions, fc.shuffledSubarray(deviceIds, { minLength: 2, maxLength: 2 }), (base, [one, other]) => {
        expect(compareVersions(advanceVersion(base, one!), advanceVersion(base, other!))).toBe('concurrent');
      }),
    );
  });

  it('of nobody are below all others, and stay sorted', () => {
    fc.assert(
      fc.property(versions, versions, (a, b) => {
        expect(compareVersions(NO_VERSION, a)).toBe(a.length === 0 ? 'equal' : 'dominated');
        const ids = joinVersions(a, b).map(({ deviceId }) => deviceId);
        expect(ids).toEqual([...new Set(ids)].sort());
      }),
    );
  });
});
