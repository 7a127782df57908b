import type { BlockBatch } from '../proto/gen/drystone/block/v1/block.js';
import { checkPackedHashes, hashAt, hashBlock } from '../common/block-hash.js';
import { invalidArgument } from '../common/errors.js';
import { wireLimits } from '../common/limits.js';
import type { Block } from './block.js';

/**
 * The blocks of a batch off the wire, sharing its memory; whether they match their hashes is {@link findMismatch}'s to see.
 * INVALID_ARGUMENT that names the field where hashes, sizes and data do not belong together or are out of bounds.
 */
export function blocksOfBatch(field: string, { hashes, sizes, data }: BlockBatch): Block[] {
  const count = checkPackedHashes(`${field}.hashes`, hashes);
  if (sizes.length !== count) {
    throw invalidArgument(`${field}.sizes`, `must be one for each of the ${count} hashes, but are ${sizes.length}`);
  }
  let end = 0;
  const blocks = sizes.map((size, index) => {
    if (size < 1 || size > wireLimits.blockBytes) {
      throw invalidArgument(`${field}.sizes[${index}]`, `must be 1 to ${wireLimits.blockBytes} bytes, not ${size}`);
    }
    end += size;
    return { hash: hashAt(hashes, index), data: data.subarray(end - size, end) };
  });
  if (data.length > wireLimits.blockBytes) {
    throw invalidArgument(`${field}.data`, `must be at most ${wireLimits.blockBytes} bytes, but has ${data.length}`);
  }
  if (end !== data.length) {
    throw invalidArgument(`${field}.sizes`, `add up to ${end} bytes, but the data has ${data.length}`);
  }
  return blocks;
}

/** The index of the first block that does not match its hash; large ones are hashed side by side on other threads. */
export async function findMismatch(blocks: readonly Block[]): Promise<number | undefined> {
  const matches = await Promise.all(blocks.map(async ({ hash, data }) => (await hashBlock(data)).equals(hash)));
  const index = matches.indexOf(false);
  return index < 0 ? undefined : index;
}
