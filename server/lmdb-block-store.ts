import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { hashAt, hashCount } from '../common/block-hash.js';
import type { Clock } from '../common/clock.js';
import { InFlightGate } from '../common/concurrency/in-flight-gate.js';
import { syncDirectory } from '../common/files/durable-file.js';
import { makeDirectory } from '../common/files/make-directory.js';
import { idBytes, type NamespaceId } from '../common/ids.js';
import { blockServerLimits } from '../common/limits.js';
import { Medium } from '../common/store/medium.js';
import type { Block } from './block.js';
import type { BlockStore, BlockStoreStats, PutOutcome } from './block-store.js';
import { GroupCommit } from './group-commit.js';
import * as layout from './lmdb-block-layout.js';
import { LmdbBlockWriter, type BlockDatabases, type PutJob } from './lmdb-block-writer.js';

export interface LmdbBlockStoreOptions {
  /** A directory for this store alone; made where it is not there. One process at a time. */
  readonly path: string;
  readonly clock: Clock;
  /** Told how long each write and sync to disk took. */
  readonly onSync?: (durationMs: number) => void;
}

/** 4 KiB whatever the platform's own page is: 16 KiB pages cost small blocks half of their speed and a third more disk. */
const PAGE_BYTES = 4096;
/** What it is, as errors call it. */
const WHAT = 'the block store';
const RAW = { encoding: 'binary', keyEncoding: 'binary' } as const;

/** Opens the block store at `options.path`, with everything in it that had been acknowledged. */
export async function openLmdbBlockStore(options: LmdbBlockStoreOptions): Promise<BlockStore> {
  const { path } = options;
  await makeDirectory(path, 0o700);
  const environment = open<Buffer, Uint8Array>({
    ...RAW,
    path,
    noSubdir: false,
    maxDbs: Object.keys(layout.databaseNames).length,
    mapSize: blockServerLimits.mapBytes,
    pageSize: PAGE_BYTES,
    // One commit is one sync, so there is no state between "visible" and "durable" to reason about; it was no slower.
    overlappingSync: false,
    // Transactions begin and end where this file says. It also spares a rejection that nobody can catch when one fails.
    eventTurnBatching: false,
  });
  const store = new LmdbBlockStore(environment, options);
  // The files themselves must survive a power cut, not only what is in them.
  await syncDirectory(path);
  await syncDirectory(dirname(path));
  return store;
}

class LmdbBlockStore implements BlockStore {
  readonly #gate = new InFlightGate(WHAT);
  readonly #databases: BlockDatabases;
  readonly #writer: LmdbBlockWriter;
  readonly #commits: GroupCommit<PutJob, PutOutcome>;

  constructor(
    readonly environment: RootDatabase<Buffer, Uint8Array>,
    readonly options: LmdbBlockStoreOptions,
  ) {
    const { blocks, references, totals } = layout.databaseNames;
    this.#databases = {
      contents: environment.openDB({ ...RAW, name: blocks }),
      references: environment.openDB({ ...RAW, name: references }),
      totals: environment.openDB({ ...RAW, name: totals, useVersions: true }),
    };
    const medium = new Medium(WHAT, options.path);
    const writer = new LmdbBlockWriter(this.#databases, medium, options.clock, options.onSync);
    const { groupBytes, groupBlocks } = blockServerLimits;
    this.#writer = writer;
    this.#commits = new GroupCommit({ bytes: groupBytes, blocks: groupBlocks }, (jobs) => writer.put(jobs));
  }

  put(namespaceId: NamespaceId, blocks: readonly Block[]): Promise<PutOutcome> {
    const bytes = blocks.reduce((sum, { data }) => sum + data.length, 0);
    return this.#gate.run(() => this.#commits.add({ namespaceId, blocks }, bytes, blocks.length));
  }

  sizes(namespaceId: NamespaceId, hashes: Uint8Array): Promise<readonly number[]> {
    return this.#gate.run(async () => {
      const namespace = idBytes(namespaceId);
      return eachHash(hashes, (hash) => this.#sizeOf(layout.referenceKey(namespace, hash)));
    });
  }

  get(namespaceId: NamespaceId, hashes: Uint8Array): Promise<readonly (Buffer | undefined)[]> {
    return this.#gate.run(async () => {
      const namespace = idBytes(namespaceId);
      const held = eachHash(hashes, (hash) =>
        this.#databases.references.doesExist(layout.referenceKey(namespace, hash)) ? hash : undefined,
      );
      // Pages that are not in memory are read by another thread; what follows only copies.
      await this.#databases.contents.prefetch(held.filter((hash) => hash !== undefined));
      return held.map((hash) => (hash === undefined ? undefined : this.#contentOf(hash)));
    });
  }

  discard(hash: Uint8Array): Promise<void> {
    return this.#gate.run(() => this.#writer.remove(hash));
  }

  stats(): Promise<BlockStoreStats> {
    return this.#gate.run(async () => {
      const file = await stat(join(this.options.path, 'data.mdb'));
      return { ...this.#writer.totals(), fileBytes: file.size, mapBytes: mapBytesOf(this.environment.getStats()) };
    });
  }

  close(): Promise<void> {
    return this.#gate.close(() => this.environment.close());
  }

  #sizeOf(referenceKey: Buffer): number {
    return this.#databases.references.getBinaryFast(referenceKey)?.readUInt32BE(0) ?? 0;
  }

  /** A copy: what getBinaryFast returns is overwritten by the next get, and only its `length` is right. */
  #contentOf(hash: Uint8Array): Buffer | undefined {
    const shared = this.#databases.contents.getBinaryFast(hash);
    if (shared === undefined) return undefined;
    const content = Buffer.allocUnsafeSlow(shared.length);
    content.set(shared.subarray(0, shared.length));
    return content;
  }
}

function eachHash<T>(hashes: Uint8Array, look: (hash: Uint8Array) => T): T[] {
  return Array.from({ length: hashCount(hashes) }, (_, index) => look(hashAt(hashes, index)));
}

function mapBytesOf(stats: object): number {
  return 'mapSize' in stats && typeof stats.mapSize === 'number' ? stats.mapSize : 0;
}
