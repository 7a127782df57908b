import { hashBlockSync } from '../../../common/block-hash.js';
import type { NamespaceId } from '../../../common/ids.js';
import type { Block } from '../../../server/block.js';
import { seededRandom } from '../seeded-random.js';

export const NAMESPACE = '00112233445566778899aabbccddeeff' as NamespaceId;
export const OTHER_NAMESPACE = 'ffeeddccbbaa99887766554433221100' as NamespaceId;

/** A block of this content. */
export function blockOf(content: Uint8Array | string): Block {
  const data = Buffer.from(content);
  return { hash: hashBlockSync(data), data };
}

/** Blocks of these sizes in bytes, all different, the same for the same seed. */
export function sampleBlocks(seed: number | string, ...sizes: readonly number[]): Block[] {
  const random = seededRandom(seed);
  return sizes.map((size) => blockOf(random.bytes(size)));
}

/** `count` blocks of `size` bytes. */
export function manyBlocks(seed: number | string, count: number, size: number): Block[] {
  return sampleBlocks(seed, ...Array.from({ length: count }, () => size));
}

/** The hashes of blocks, packed. */
export function hashesOf(blocks: readonly Block[]): Buffer {
  return Buffer.concat(blocks.map(({ hash }) => hash));
}
