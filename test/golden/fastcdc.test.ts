import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { chunking } from '../../common/limits.js';
import { cutAll } from '../support/observe/cut-all.js';
import { referenceChunks } from '../support/observe/reference-fastcdc.js';
import { seededRandom } from '../support/seeded-random.js';
import type { ChunkingParameters } from '../../client/observe/fastcdc/fastcdc.js';

interface Vector {
  readonly chunkSizes: readonly number[];
  /** The hash where each chunk was cut, hexadecimal. */
  readonly fingerprints: readonly string[];
}

/** Computed by the reference; the same on every machine, for ever: other cuts would make every stored block useless. */
const golden = JSON.parse(readFileSync(new URL('./fastcdc.json', import.meta.url), 'utf8')) as Record<string, Vector>;

const PUBLISHED: ChunkingParameters = {
  minBytes: 4096,
  averageBytes: 16_384,
  maxBytes: 65_535,
  normalization: 2,
  seed: 0n,
};

const cases: readonly (readonly [name: string, parameters: ChunkingParameters, length: number])[] = [
  ['production', chunking, 12 * 1024 * 1024],
  ['published parameters, seed 0', PUBLISHED, 300_001],
  ['published parameters, seed 666', { ...PUBLISHED, seed: 666n }, 300_001],
];

describe.each(cases)('FastCDC, %s', (name, parameters, length) => {
  const data = seededRandom('fastcdc golden vector').bytes(length);

  test('cuts as it always has', () => {
    expect(cutAll(data, parameters)).toEqual(golden[name]!.chunkSizes);
  });

  test('the reference agrees on the last chunks, fingerprints included', () => {
    const { chunkSizes, fingerprints } = golden[name]!;
    const tail = chunkSizes.slice(-2).reduce((total, size) => total + size, 0);
    const chunks = referenceChunks(data.subarray(data.length - tail), parameters);
    expect(chunks.map((chunk) => chunk.length)).toEqual(chunkSizes.slice(-2));
    expect(chunks.map((chunk) => chunk.fingerprint.toString(16))).toEqual(fingerprints.slice(-2));
  });
});
