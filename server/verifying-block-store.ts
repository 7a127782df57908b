import { hashAt, hashBlock, hashHex } from '../common/block-hash.js';
import { InFlightGate } from '../common/concurrency/in-flight-gate.js';
import type { NamespaceId } from '../common/ids.js';
import type { Block } from './block.js';
import type { BlockStore, BlockStoreStats, PutOutcome } from './block-store.js';

/**
 * Gives out no block that does not match its hash. A damaged one counts as missing, is reported, and is discarded, so
 * that `sizes` says the truth from then on and the next put of it heals the store.
 */
export class VerifyingBlockStore implements BlockStore {
  /** Covers what follows a read: one that has found damage still reaches the store. */
  readonly #gate = new InFlightGate('the block store');

  /** @param onDamage told the hash, in hexadecimal, of each block found damaged. */
  constructor(
    readonly store: BlockStore,
    readonly onDamage: (hashHex: string) => void,
  ) {}

  put(namespaceId: NamespaceId, blocks: readonly Block[]): Promise<PutOutcome> {
    return this.store.put(namespaceId, blocks);
  }

  sizes(namespaceId: NamespaceId, hashes: Uint8Array): Promise<readonly number[]> {
    return this.store.sizes(namespaceId, hashes);
  }

  get(namespaceId: NamespaceId, hashes: Uint8Array): Promise<readonly (Buffer | undefined)[]> {
    return this.#gate.run(async () => {
      const found = await this.store.get(namespaceId, hashes);
      return Promise.all(found.map((data, index) => this.#verified(namespaceId, hashAt(hashes, index), data)));
    });
  }

  discard(hash: Uint8Array): Promise<void> {
    return this.store.discard(hash);
  }

  stats(): Promise<BlockStoreStats> {
    return this.store.stats();
  }

  close(): Promise<void> {
    return this.#gate.close(() => this.store.close());
  }

  async #verified(namespaceId: NamespaceId, hash: Uint8Array, data: Buffer | undefined): Promise<Buffer | undefined> {
    if (data === undefined || (await matches(data, hash))) return data;
    // Memory may have erred, not the disk: nothing is thrown away before a second look.
    const [again] = await this.store.get(namespaceId, hash);
    if (again === undefined || (await matches(again, hash))) return again;
    this.onDamage(hashHex(hash));
    await this.store.discard(hash);
    return undefined;
  }
}

async function matches(data: Buffer, hash: Uint8Array): Promise<boolean> {
  return (await hashBlock(data)).equals(hash);
}
