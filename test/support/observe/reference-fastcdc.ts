import { createHash } from 'node:crypto';
import type { ChunkingParameters } from '../../../client/observe/fastcdc/fastcdc.js';

const MODULUS_BITS = 64;

const MASKS_FROM_FIVE_BITS = (
  '1804110 1803110 18035100 1800035300 19000353000 590003530000 d90003530000 d90103530000 d90303530000 d90313530000 ' +
  'd90f03530000 d90303537000 d90703537000 d90707537000 d91707537000 d91747537000 d91767537000 d93767537000 ' +
  'd93777537000 d93777577000 db3777577000'
).split(' ');

const maskOfBits = (bits: number): bigint => BigInt(`0x${MASKS_FROM_FIVE_BITS[bits - 5]!}`);

const wrap = (value: bigint): bigint => BigInt.asUintN(MODULUS_BITS, value);

/** The gear table, made anew from its definition. */
function referenceGearTable(seed: bigint): bigint[] {
  return Array.from(
    { length: 256 },
    (_, value) => createHash('md5').update(Buffer.alloc(64, value)).digest().readBigUInt64BE(0) ^ seed,
  );
}

export interface ReferenceChunk {
  readonly offset: number;
  readonly length: number;
  /** The hash where the chunk was cut; 0 for a rest that is no longer than the minimum. */
  readonly fingerprint: bigint;
}

/** FastCDC 2020 word for word: slow, in arbitrary-precision integers, with nothing clever in it. */
export function referenceChunks(data: Uint8Array, parameters: ChunkingParameters): ReferenceChunk[] {
  const gear = referenceGearTable(parameters.seed);
  const shiftedGear = gear.map((entry) => wrap(entry << 1n));
  const chunks: ReferenceChunk[] = [];
  for (let offset = 0; offset < data.length;) {
    const { length, fingerprint } = cutOne(data.subarray(offset), parameters, gear, shiftedGear);
    chunks.push({ offset, length, fingerprint });
    offset += length;
  }
  return chunks;
}

function cutOne(
  rest: Uint8Array,
  { minBytes, averageBytes, maxBytes, normalization }: ChunkingParameters,
  gear: readonly bigint[],
  shiftedGear: readonly bigint[],
): { length: number; fingerprint: bigint } {
  if (rest.length <= minBytes) return { length: rest.length, fingerprint: 0n };
  const bits = Math.round(Math.log2(averageBytes));
  const window = Math.min(rest.length, maxBytes);
  const center = Math.min(rest.length, averageBytes);
  let hash = 0n;
  for (let pair = Math.floor(minBytes / 2); pair < Math.floor(window / 2); pair++) {
    const mask = pair < Math.floor(center / 2) ? maskOfBits(bits + normalization) : maskOfBits(bits - normalization);
    hash = wrap((hash << 2n) + shiftedGear[rest[2 * pair]!]!);
    if ((hash & wrap(mask << 1n)) === 0n) return { length: 2 * pair, fingerprint: hash };
    hash = wrap(hash + gear[rest[2 * pair + 1]!]!);
    if ((hash & mask) === 0n) return { length: 2 * pair + 1, fingerprint: hash };
  }
  return { length: window, fingerprint: hash };
}
