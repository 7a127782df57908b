import { hashCount, hashKey, hashKeyAt, type HashKey } from '../common/block-hash.js';
import { InFlightGate } from '../common/concurrency/in-flight-gate.js';
import type { NamespaceId } from '../common/ids.js';
import type { Block } from './block.js';
import type { BlockStore, BlockStoreStats, PutOutcome } from './block-store.js';

/** A block store for tests: as durable as the process. */
export class MemoryBlockStore implements BlockStore {
  readonly #gate = new InFlightGate('the block store');
  readonly #contents = new Map<HashKey, Buffer>();
  readonly #references = new Map<NamespaceId, Set<HashKey>>();
  #bytes = 0;

  put(namespaceId: NamespaceId, blocks: readonly Block[]): Promise<PutOutcome> {
    return this.#gate.run(async () => {
      const references = this.#references.get(namespaceId) ?? new Set();
      this.#references.set(namespaceId, references);
      let newBlocks = 0;
      let newBytes = 0;
      for (const { hash, data } of blocks) {
        const key = hashKey(hash);
        references.add(key);
        if (this.#contents.has(key)) continue;
        this.#contents.set(key, Buffer.from(data));
        newBlocks++;
        newBytes += data.length;
      }
      this.#bytes += newBytes;
      return { newBlocks, newBytes };
    });
  }

  sizes(namespaceId: NamespaceId, hashes: Uint8Array): Promise<readonly number[]> {
    return this.#gate.run(async () => this.#held(namespaceId, hashes).map((data) => data?.length ?? 0));
  }

  get(namespaceId: NamespaceId, hashes: Uint8Array): Promise<readonly (Buffer | undefined)[]> {
    return this.#gate.run(async () =>
      this.#held(namespaceId, hashes).map((data) => (data === undefined ? undefined : Buffer.from(data))),
    );
  }

  discard(hash: Uint8Array): Promise<void> {
    return this.#gate.run(async () => {
      const key = hashKey(hash);
      this.#bytes -= this.#contents.get(key)?.length ?? 0;
      this.#contents.delete(key);
      for (const references of this.#references.values()) references.delete(key);
    });
  }

  stats(): Promise<BlockStoreStats> {
    return this.#gate.run(async () => ({ blocks: this.#contents.size, bytes: this.#bytes, fileBytes: 0, mapBytes: 0 }));
  }

  close(): Promise<void> {
    return this.#gate.close(async () => undefined);
  }

  #held(namespaceId: NamespaceId, hashes: Uint8Array): (Buffer | undefined)[] {
    const references = this.#references.get(namespaceId);
    return Array.from({ length: hashCount(hashes) }, (_, index) => {
      const key = hashKeyAt(hashes, index);
      return references?.has(key) === true ? this.#contents.get(key) : undefined;
    });
  }
}
