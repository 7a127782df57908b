import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HASH_BYTES, hashCount } from '../../common/block-hash.js';
import { planPortions } from '../../server/get-portions.js';

describe('the portions of a get request', () => {
  it('are what was asked for, in order, each within the limit or a single block, none needlessly small', () => {
    const sizes = fc.array(fc.oneof(fc.constant(0), fc.nat({ max: 400 })), { maxLength: 60 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 500 }), (asked, limit) => {
        const hashes = Buffer.from(asked.flatMap((_, index) => Array.from({ length: HASH_BYTES }, () => index)));
        const portions = [...planPortions(hashes, asked, limit)];
        expect(Buffer.concat(portions.map((portion) => portion.hashes)).equals(hashes)).toBe(true);
        let start = 0;
        for (const portion of portions) {
          const count = hashCount(portion.hashes);
          const bytes = asked.slice(start, start + count).reduce((sum, size) => sum + size, 0);
          start += count;
          expect(count).toBeGreaterThan(0);
          expect(portion.bytes).toBe(bytes);
          if (count > 1) expect(bytes).toBeLessThanOrEqual(limit);
          if (start < asked.length) expect(bytes + asked[start]!).toBeGreaterThan(limit);
        }
      }),
    );
  });
});
