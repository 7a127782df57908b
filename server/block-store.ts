import type { NamespaceId } from '../common/ids.js';
import type { Block } from './block.js';

/**
 * Keeps blocks. The content of a block is on disk once, however many namespaces refer to it; which blocks a namespace
 * holds is kept for each namespace by itself, so that knowing a hash is never enough to read a block through a namespace
 * in which nobody stored it.
 *
 * - **Trust**: `put` believes that the hashes are those of the bytes; whoever takes blocks from outside checks first.
 * - **Atomicity**: each `put` and `discard` takes place wholly or not at all.
 * - **Durability**: both resolve after a sync to disk, and what they did then survives a power cut.
 * - **Visibility**: what has resolved is seen by every call that begins later.
 * - **Idempotency**: repeating a call changes nothing.
 * - **Memory**: bytes handed to `put` must not change until it settles; bytes returned belong to the caller.
 * - **Errors**: UNAVAILABLE (DRAINING) after `close` has begun; RESOURCE_EXHAUSTED (DISK_FULL) and INTERNAL
 *   (STORE_FAILED) from `put` and `discard`, with nothing stored. A store that failed to write can still be read.
 *
 * test/contract/block-store.ts holds every engine to this.
 */
export interface BlockStore {
  /** Stores what is not there yet, and the references of the namespace to all of it. Calls may be synced together. */
  put(namespaceId: NamespaceId, blocks: readonly Block[]): Promise<PutOutcome>;

  /** The size in bytes of each of these blocks (packed hashes), in their order; 0 where the namespace does not hold it. */
  sizes(namespaceId: NamespaceId, hashes: Uint8Array): Promise<readonly number[]>;

  /**
   * The content of these blocks (packed hashes), in their order; undefined where the namespace does not hold it. All of
   * them are in memory at once: a caller learns from `sizes` how much to ask for.
   */
  get(namespaceId: NamespaceId, hashes: Uint8Array): Promise<readonly (Buffer | undefined)[]>;

  /** Removes a block from every namespace: its content is damaged, and it must count as missing until it is put again. */
  discard(hash: Uint8Array): Promise<void>;

  stats(): Promise<BlockStoreStats>;

  /** Lets what is under way finish, then closes. Idempotent. */
  close(): Promise<void>;
}

/** A store as those who only read it see it. */
export type BlockReader = Pick<BlockStore, 'sizes' | 'get'>;

/** What a put added; the rest of its blocks was there before. */
export interface PutOutcome {
  readonly newBlocks: number;
  readonly newBytes: number;
}

/** What a store holds, each block counted once. */
export interface BlockStoreStats {
  readonly blocks: number;
  /** Of content, without the store's own overhead. */
  readonly bytes: number;
  /** The store's file; 0 where it has none. */
  readonly fileBytes: number;
  /** The address space set aside for it; 0 where there is none. */
  readonly mapBytes: number;
}
