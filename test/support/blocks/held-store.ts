import type { NamespaceId } from '../../../common/ids.js';
import type { Block } from '../../../server/block.js';
import type { BlockStore, BlockStoreStats, PutOutcome } from '../../../server/block-store.js';
import { MemoryBlockStore } from '../../../server/memory-block-store.js';

/** A store whose puts wait until they are let go, as they would on a slow disk, and fail where they are told to. */
export class HeldStore implements BlockStore {
  readonly #store = new MemoryBlockStore();
  readonly #held: (() => void)[] = [];
  #isHolding = true;
  /** What the next puts reject with. */
  failure: Error | undefined;
  /** Blocks handed to `put`, stored or not. */
  readonly received: Block[] = [];

  async put(namespaceId: NamespaceId, blocks: readonly Block[]): Promise<PutOutcome> {
    this.received.push(...blocks);
    if (this.#isHolding) await new Promise<void>((resolve) => this.#held.push(resolve));
    if (this.failure !== undefined) throw this.failure;
    return this.#store.put(namespaceId, blocks);
  }

  /** Puts that wait. */
  get heldCount(): number {
    return this.#held.length;
  }

  /** Lets go the put that has waited longest. */
  letOneGo(): void {
    this.#held.shift()?.();
  }

  /** Lets all go, now and from now on. */
  letGo(): void {
    this.#isHolding = false;
    for (const release of this.#held.splice(0)) release();
  }

  sizes(namespaceId: NamespaceId, hashes: Uint8Array): Promise<readonly number[]> {
    return this.#store.sizes(namespaceId, hashes);
  }

  get(namespaceId: NamespaceId, hashes: Uint8Array): Promise<readonly (Buffer | undefined)[]> {
    return this.#store.get(namespaceId, hashes);
  }

  discard(hash: Uint8Array): Promise<void> {
    return this.#store.discard(hash);
  }

  stats(): Promise<BlockStoreStats> {
    return this.#store.stats();
  }

  close(): Promise<void> {
    this.letGo();
    return this.#store.close();
  }
}
