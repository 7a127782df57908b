import { hashCount, hashKey, hashKeyAt, type HashKey } from '../../common/block-hash.js';
import type { ItemPath } from '../../common/feed/item.js';
import { clientLimits } from '../../common/limits.js';
import type { LocalEntry } from './local-entry.js';
import type { Tree } from './tree-store.js';

/** Where a block is believed to lie on this disk. */
export interface LocalBlock {
  readonly path: ItemPath;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/**
 * Which blocks the folder's files hold. It follows from the local tree and is only a belief: whoever reads a block checks
 * it. At most `clientLimits.localBlocksIndexed` blocks are known; further ones are fetched like any other.
 */
export class LocalBlockIndex {
  readonly #blocks = new Map<HashKey, LocalBlock>();
  #isFilled = false;

  constructor(private readonly local: Tree<LocalEntry>) {}

  /** Takes in an entry of the local tree that is new or has changed. */
  note(entry: LocalEntry): void {
    // The first search reads the whole tree, and with it everything noted before.
    if (this.#isFilled) this.#add(entry);
  }

  /** Where the block lies, as far as is known. The first call reads the whole local tree. */
  find(hash: Uint8Array): LocalBlock | undefined {
    if (!this.#isFilled) this.#fill();
    return this.#blocks.get(hashKey(hash));
  }

  /** A block was not where it was believed to be. */
  forget(hash: Uint8Array): void {
    this.#blocks.delete(hashKey(hash));
  }

  #fill(): void {
    this.#isFilled = true;
    for (const path of this.local.pathsBelow('')) {
      if (this.#blocks.size >= clientLimits.localBlocksIndexed) return;
      const entry = this.local.get(path);
      if (entry !== undefined) this.#add(entry);
    }
  }

  #add(entry: LocalEntry): void {
    if (entry.kind !== 'file' || entry.blocks === undefined) return;
    const { hashes, sizes } = entry.blocks;
    let offsetBytes = 0;
    for (let index = 0; index < hashCount(hashes); index++) {
      if (this.#blocks.size >= clientLimits.localBlocksIndexed) return;
      const sizeBytes = sizes[index] ?? 0;
      this.#blocks.set(hashKeyAt(hashes, index), { path: entry.path, offsetBytes, sizeBytes });
      offsetBytes += sizeBytes;
    }
  }
}
