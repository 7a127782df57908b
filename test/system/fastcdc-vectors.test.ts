import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ChunkingParameters } from '../../client/observe/fastcdc/fastcdc.js';
import { cutAll } from '../support/observe/cut-all.js';
import { referenceChunks } from '../support/observe/reference-fastcdc.js';

interface Vector {
  readonly offset: number;
  readonly length: number;
  readonly sha256: string;
  readonly fingerprint: bigint;
}

/** The directory with the published vectors, vectors.txt, and the picture that they are of. */
function vectorsDirectory(): string {
  const directory = process.env.DRYSTONE_FASTCDC_VECTORS;
  if (directory === undefined) {
    throw new Error(
      'set DRYSTONE_FASTCDC_VECTORS to a directory with vectors.txt and SekienAkashita.jpg, ' +
        'the FastCDC 2020 test vectors of the Remote Execution API',
    );
  }
  return directory;
}

/** The vectors of one seed: the lines after its heading. */
function vectorsOfSeed(text: string, seed: bigint): Vector[] {
  const section = text.split(/^# Seed: /m).find((part) => part.startsWith(`${seed}\n`));
  if (section === undefined) throw new Error(`vectors.txt has no seed ${seed}`);
  return section
    .split('\n')
    .slice(1)
    .filter((line) => /^\d/.test(line))
    .map((line) => {
      const [offset, length, sha256, fingerprint] = line.split(/\s+/);
      return { offset: Number(offset), length: Number(length), sha256: sha256!, fingerprint: BigInt(fingerprint!) };
    });
}

test.each([0n, 666n])('the published vectors of FastCDC 2020, seed %s', (seed) => {
  const directory = vectorsDirectory();
  const picture = readFileSync(join(directory, 'SekienAkashita.jpg'));
  const vectors = vectorsOfSeed(readFileSync(join(directory, 'vectors.txt'), 'utf8'), seed);
  const parameters: ChunkingParameters = {
    minBytes: 4096,
    averageBytes: 16_384,
    maxBytes: 65_535,
    normalization: 2,
    seed,
  };

  expect(vectors.length).toBeGreaterThan(0);
  const reference = referenceChunks(picture, parameters).map((chunk) => ({
    ...chunk,
    sha256: createHash('sha256')
      .update(picture.subarray(chunk.offset, chunk.offset + chunk.length))
      .digest('hex'),
  }));
  expect(reference).toEqual(vectors);
  expect(cutAll(picture, parameters)).toEqual(vectors.map(({ length }) => length));
});
