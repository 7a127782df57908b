import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FastCdc, type ChunkingParameters } from '../../client/observe/fastcdc/fastcdc.js';
import { cutAll } from '../support/observe/cut-all.js';
import { referenceChunks } from '../support/observe/reference-fastcdc.js';
import { seededRandom } from '../support/seeded-random.js';

const SMALL: ChunkingParameters = { minBytes: 256, averageBytes: 1024, maxBytes: 4096, normalization: 2, seed: 0n };

const parameters: fc.Arbitrary<ChunkingParameters> = fc
  .record({
    minBytes: fc.integer({ min: 2, max: 500 }),
    averageBytes: fc.integer({ min: 501, max: 3000 }),
    maxBytes: fc.integer({ min: 3001, max: 9000 }),
    normalization: fc.integer({ min: 0, max: 3 }),
    seed: fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  })
  .filter(({ averageBytes, normalization }) => Math.round(Math.log2(averageBytes)) - normalization >= 5);

/** Content of several kinds in a row: random, one byte over and over, a short pattern. */
const content: fc.Arbitrary<Buffer> = fc
  .array(fc.tuple(fc.constantFrom('random', 'constant', 'pattern'), fc.nat(), fc.integer({ min: 0, max: 12_000 })), {
    maxLength: 4,
  })
  .map((runs) =>
    Buffer.concat(
      runs.map(([kind, seed, length]) => {
        if (kind === 'random') return seededRandom(seed).bytes(length);
        return Buffer.alloc(length, kind === 'constant' ? seed % 256 : seededRandom(seed).bytes(7));
      }),
    ),
  );

const ends = (sizes: readonly number[]): number[] => {
  let end = 0;
  return sizes.map((size) => (end += size));
};

describe('FastCDC', () => {
  test('cuts where the reference cuts', () => {
    fc.assert(
      fc.property(content, parameters, (data, how) => {
        expect(cutAll(data, how)).toEqual(referenceChunks(data, how).map(({ length }) => length));
      }),
      { numRuns: 200 },
    );
  });

  test('gives chunks that make up the input, none above the maximum, none but the last below the minimum', () => {
    fc.assert(
      fc.property(content, parameters, (data, how) => {
        const sizes = cutAll(data, how);
        expect(sizes.reduce((total, size) => total + size, 0)).toBe(data.length);
        expect(sizes.every((size) => size > 0 && size <= how.maxBytes)).toBe(true);
        // Bytes are taken in pairs: the first cut that is looked for is at an even offset.
        expect(sizes.slice(0, -1).every((size) => size >= how.minBytes - (how.minBytes % 2))).toBe(true);
      }),
    );
  });

  test('cuts the same when it sees the data bit by bit', () => {
    fc.assert(
      fc.property(content, parameters, fc.integer({ min: 1, max: 5000 }), (data, how, stepBytes) => {
        const chunker = new FastCdc(how, Math.max(data.length, how.maxBytes));
        chunker.data.set(data);
        const sizes: number[] = [];
        let offset = 0;
        for (let end = Math.min(stepBytes, data.length); offset < data.length;) {
          const size = chunker.cut(offset, end, end < data.length);
          if (size === 0) {
            expect(end - offset).toBeLessThan(how.maxBytes);
            end = Math.min(end + stepBytes, data.length);
          } else {
            sizes.push(size);
            offset += size;
          }
        }
        expect(sizes).toEqual(cutAll(data, how));
      }),
    );
  });

  test('finds most of the old cuts again behind an insertion', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 100 }), fc.nat({ max: 99_999 }), (seed, insertedBytes, at) => {
        const random = seededRandom(seed);
        const data = random.bytes(200_000);
        const changed = Buffer.concat([data.subarray(0, at), random.bytes(insertedBytes), data.subarray(at)]);
        const behind = ends(cutAll(data, SMALL)).filter((end) => end > at + 30_000);
        const behindNow = new Set(ends(cutAll(changed, SMALL)).map((end) => end - insertedBytes));
        expect(behind.filter((end) => behindNow.has(end)).length).toBeGreaterThan(0.9 * behind.length);
      }),
      { numRuns: 50 },
    );
  });
});
