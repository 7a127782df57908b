import { asBuffer, hashAt, hashCount, hashKeyAt, type HashKey } from '../../common/block-hash.js';
import type { ItemPath } from '../../common/feed/item.js';
import type { NamespaceId } from '../../common/ids.js';
import { wireLimits } from '../../common/limits.js';
import type { ReadBlock } from '../observe/read-block.js';
import type { BlockReader } from '../../server/block-store.js';
import type { LocalBlock, LocalBlockIndex } from '../state/local-block-index.js';
import type { Trees } from '../state/tree-store.js';
import type { ComingBlocks } from './coming-blocks.js';

export interface FolderBlocksParts {
  readonly index: LocalBlockIndex;
  readonly trees: Pick<Trees, 'local' | 'remote' | 'synced'>;
  readonly coming: ComingBlocks;
  /** Where an item lies on this disk, as the folder was last seen; undefined before it was. */
  readonly absolutePath: (path: ItemPath) => string | undefined;
  readonly readBlock: ReadBlock;
}

/**
 * The blocks of a folder's files, as a block server reads them: only of files that are in the namespace as they are here,
 * so that what somebody keeps in the folder without having shared it stays with him, and only what matches its hash when it
 * is read, so that a file that has changed is not given. It is of one namespace: who may read it was decided before.
 */
export class FolderBlocks implements BlockReader {
  constructor(private readonly parts: FolderBlocksParts) {}

  /** What can be read now. */
  async sizes(_namespaceId: NamespaceId, hashes: Uint8Array): Promise<readonly number[]> {
    return Array.from({ length: hashCount(hashes) }, (_, index) => this.#sizeNow(hashAt(hashes, index)));
  }

  get(_namespaceId: NamespaceId, hashes: Uint8Array): Promise<readonly (Buffer | undefined)[]> {
    return Promise.all(Array.from({ length: hashCount(hashes) }, (_, index) => this.#read(hashAt(hashes, index))));
  }

  #sizeNow(hash: Uint8Array): number {
    const key = hashKeyAt(hash, 0);
    const arrived = this.parts.coming.arrived(key);
    if (arrived !== undefined) return this.parts.coming.sizeOf(key) ?? 0;
    return this.#find(hash)?.sizeBytes ?? 0;
  }

  async #read(hash: Uint8Array): Promise<Buffer | undefined> {
    return (await this.#readArrived(hash, hashKeyAt(hash, 0))) ?? this.#readFolder(hash);
  }

  async #readArrived(hash: Uint8Array, key: HashKey): Promise<Buffer | undefined> {
    const arrived = this.parts.coming.arrived(key);
    if (arrived === undefined) return undefined;
    if (arrived.from === 'memory') return arrived.data;
    for (const path of arrived.paths) {
      const data = await this.parts.readBlock(path, { hash, ...arrived }).catch(() => undefined);
      if (data !== undefined) return data;
    }
    return undefined;
  }

  async #readFolder(hash: Uint8Array): Promise<Buffer | undefined> {
    const found = this.#find(hash);
    const path = found === undefined ? undefined : this.parts.absolutePath(found.path);
    if (found === undefined || path === undefined) return undefined;
    const data = await this.parts.readBlock(path, { hash, ...found }).catch(() => undefined);
    // The next scan finds out what is there instead.
    if (data === undefined) this.parts.index.forget(hash);
    return data;
  }

  /** Where the block lies in a file that the namespace has, or had when both sides last agreed. */
  #find(hash: Uint8Array): LocalBlock | undefined {
    const found = this.parts.index.find(hash);
    if (found === undefined) return undefined;
    const { local, synced, remote } = this.parts.trees;
    const entry = local.get(found.path);
    if (entry?.kind !== 'file' || entry.blocks === undefined) return undefined;
    const { hashes } = entry.blocks;
    const isShared = [synced, remote].some((tree) => {
      const content = tree.get(found.path)?.content;
      return content?.kind === 'file' && asBuffer(content.blocks.hashes).equals(hashes);
    });
    return isShared ? found : undefined;
  }
}

export interface GivenBlocksParts {
  readonly folder: FolderBlocks;
  readonly coming: ComingBlocks;
  /** Waits for its turn to send so many bytes. */
  readonly pace: (bytes: number) => Promise<void>;
  /** Told of each block given. */
  readonly onGiven: (sizeBytes: number) => void;
}

/** What is given to others: the folder's blocks, and those that are coming, which are waited for. */
export class GivenBlocks implements BlockReader {
  constructor(private readonly parts: GivenBlocksParts) {}

  /** Also of what is coming, as it is believed to be; waits a while to hear of what is not known at all. */
  async sizes(namespaceId: NamespaceId, hashes: Uint8Array): Promise<readonly number[]> {
    const { folder, coming } = this.parts;
    const now = await folder.sizes(namespaceId, hashes);
    const believed = (): number[] =>
      now.map((size, index) => (size > 0 ? size : (coming.sizeOf(hashKeyAt(hashes, index)) ?? 0)));
    await coming.news(() => believed().every((size) => size > 0));
    return believed();
  }

  async get(namespaceId: NamespaceId, hashes: Uint8Array): Promise<readonly (Buffer | undefined)[]> {
    const { folder, coming, pace, onGiven } = this.parts;
    const count = hashCount(hashes);
    await Promise.all(Array.from({ length: count }, (_, index) => coming.settled(hashAt(hashes, index))));
    const found = await folder.get(namespaceId, hashes);
    const given: (Buffer | undefined)[] = [];
    let bytes = 0;
    for (const data of found) {
      bytes += data?.length ?? 0;
      // What nobody knew of when the answer was planned may not fit into it.
      const fits = data === undefined || bytes <= wireLimits.blockBytes;
      given.push(fits ? data : undefined);
      if (data === undefined || !fits) continue;
      await pace(data.length);
      onGiven(data.length);
    }
    return given;
  }
}
