import { hashAt, hashCount, hashKey, packKeys, type HashKey } from '../block-hash.js';
import { wireLimits } from '../limits.js';
import { statesOf } from './item.js';
import type { NewItem } from './push-items.js';

/**
 * The blocks of the items, of all their states, for which `isHeld` says no: packed, each once, in the order of the items,
 * and no more of them than a message may list.
 */
export function missingBlocks(items: readonly NewItem[], isHeld: (hash: Uint8Array) => boolean): Uint8Array {
  const missing = new Set<HashKey>();
  for (const hash of hashesOf(items)) {
    if (isHeld(hash)) continue;
    missing.add(hashKey(hash));
    if (missing.size === wireLimits.hashesPerMessage) break;
  }
  return packKeys([...missing]);
}

/** All blocks that the states of the items name, each once, in packed lists of at most `wireLimits.hashesPerMessage`. */
export function* namedBlocks(items: readonly NewItem[]): Generator<Uint8Array, void, undefined> {
  const keys = [...new Set([...hashesOf(items)].map(hashKey))];
  for (let start = 0; start < keys.length; start += wireLimits.hashesPerMessage) {
    yield packKeys(keys.slice(start, start + wireLimits.hashesPerMessage));
  }
}

function* hashesOf(items: readonly NewItem[]): Generator<Uint8Array, void, undefined> {
  for (const { item } of items) {
    for (const { content } of statesOf(item)) {
      if (content.kind !== 'file') continue;
      const { hashes } = content.blocks;
      const count = hashCount(hashes);
      for (let index = 0; index < count; index++) yield hashAt(hashes, index);
    }
  }
}
