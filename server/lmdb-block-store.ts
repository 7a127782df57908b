import { mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { open, type Database, type RootDatabase } from 'lmdb';
import { hashAt, hashCount, hashKey, type HashKey } from '../common/block-hash.js';
import type { Clock } from '../common/clock.js';
import { InFlightGate } from '../common/concurrency/in-flight-gate.js';
import { DrystoneError } from '../common/errors.js';
import { syncDirectory } from '../common/files/durable-file.js';
import { idBytes, type NamespaceId } from '../common/ids.js';
import { blockServerLimits } from '../common/limits.js';
import type { Block } from './block.js';
import type { BlockStore, BlockStoreStats, PutOutcome } from './block-store.js';
import { GroupCommit } from './group-commit.js';
import * as layout from './lmdb-block-layout.js';

type BytesDatabase = Database<Buffer, Uint8Array>;

export interface LmdbBlockStoreOptions {
  /** A directory for this store alone; made where it is not there. One process at a time. */
  readonly path: string;
  readonly clock: Clock;
  /** Told how long each write and sync to disk took. */
  readonly onSync?: (durationMs: number) => void;
}

/** 4 KiB whatever the platform's own page is: 16 KiB pages cost small blocks half of their speed and a third more disk. */
const PAGE_BYTES = 4096;
const RAW = { encoding: 'binary', keyEncoding: 'binary' } as const;

interface PutJob {
  readonly namespaceId: NamespaceId;
  readonly blocks: readonly Block[];
}

/** What a group of puts will write, with the totals that then hold. */
interface WritePlan {
  readonly contents: readonly Block[];
  readonly references: ReadonlyMap<string, { readonly key: Buffer; readonly size: Buffer }>;
  readonly totals: layout.Totals;
  readonly outcomes: readonly PutOutcome[];
}

/** Opens the block store at `options.path`, with everything in it that had been acknowledged. */
export async function openLmdbBlockStore(options: LmdbBlockStoreOptions): Promise<BlockStore> {
  const { path } = options;
  await mkdir(path, { recursive: true });
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
  readonly #gate = new InFlightGate('the block store');
  readonly #commits: GroupCommit<PutJob, PutOutcome>;
  readonly #contents: BytesDatabase;
  readonly #references: BytesDatabase;
  readonly #totals: BytesDatabase;
  /** Writers take turns, so what one has read still holds when it writes. */
  #lastTurn: Promise<unknown> = Promise.resolve();

  constructor(
    readonly environment: RootDatabase<Buffer, Uint8Array>,
    readonly options: LmdbBlockStoreOptions,
  ) {
    this.#contents = environment.openDB({ ...RAW, name: layout.databaseNames.blocks });
    this.#references = environment.openDB({ ...RAW, name: layout.databaseNames.references });
    this.#totals = environment.openDB({ ...RAW, name: layout.databaseNames.totals });
    this.#commits = new GroupCommit(
      { bytes: blockServerLimits.groupBytes, blocks: blockServerLimits.groupBlocks },
      (jobs) => this.#inTurn(() => this.#writeGroup(jobs)),
    );
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
        this.#references.doesExist(layout.referenceKey(namespace, hash)) ? hash : undefined,
      );
      // Pages that are not in memory are read by another thread; what follows only copies.
      await this.#contents.prefetch(held.filter((hash) => hash !== undefined));
      return held.map((hash) => (hash === undefined ? undefined : this.#contentOf(hash)));
    });
  }

  discard(hash: Uint8Array): Promise<void> {
    return this.#gate.run(() => this.#inTurn(() => this.#remove(hash)));
  }

  stats(): Promise<BlockStoreStats> {
    return this.#gate.run(async () => {
      const file = await stat(join(this.options.path, 'data.mdb'));
      return { ...this.#readTotals(), fileBytes: file.size, mapBytes: mapBytesOf(this.environment.getStats()) };
    });
  }

  close(): Promise<void> {
    return this.#gate.close(() => this.environment.close());
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#lastTurn.then(work);
    this.#lastTurn = turn.catch(() => undefined);
    return turn;
  }

  async #writeGroup(jobs: readonly PutJob[]): Promise<readonly PutOutcome[]> {
    const { contents, references, totals, outcomes } = this.#plan(jobs);
    // What is there already has been synced by the turn that wrote it.
    if (references.size === 0 && contents.length === 0) return outcomes;
    await this.#commit(() => {
      for (const { hash, data } of contents) void this.#contents.put(hash, data as Buffer);
      for (const { key, size } of references.values()) void this.#references.put(key, size);
      void this.#totals.put(layout.TOTALS_KEY, layout.encodeTotals(totals));
    });
    return outcomes;
  }

  /** A block that is there is not written again, be it on disk or earlier in the group. */
  #plan(jobs: readonly PutJob[]): WritePlan {
    const contents = new Map<HashKey, Block>();
    const references = new Map<string, { key: Buffer; size: Buffer }>();
    let totals = this.#readTotals();
    const outcomes = jobs.map(({ namespaceId, blocks }) => {
      const namespace = idBytes(namespaceId);
      let newBlocks = 0;
      let newBytes = 0;
      for (const block of blocks) {
        const hash = hashKey(block.hash);
        if (!contents.has(hash) && !this.#contents.doesExist(block.hash)) {
          contents.set(hash, block);
          newBlocks++;
          newBytes += block.data.length;
        }
        const key = layout.referenceKey(namespace, block.hash);
        if (!this.#references.doesExist(key)) {
          references.set(key.toString('latin1'), { key, size: layout.encodeSize(block.data.length) });
        }
      }
      totals = { blocks: totals.blocks + newBlocks, bytes: totals.bytes + newBytes };
      return { newBlocks, newBytes };
    });
    return { contents: [...contents.values()], references, totals, outcomes };
  }

  async #remove(hash: Uint8Array): Promise<void> {
    const content = this.#contentOf(hash);
    const references = [...this.#referencesTo(hash)];
    if (content === undefined && references.length === 0) return;
    const { blocks, bytes } = this.#readTotals();
    await this.#commit(() => {
      void this.#contents.remove(hash);
      for (const key of references) void this.#references.remove(key);
      if (content === undefined) return;
      const totals = { blocks: blocks - 1, bytes: bytes - content.length };
      void this.#totals.put(layout.TOTALS_KEY, layout.encodeTotals(totals));
    });
  }

  /** Looks the block up in each namespace, by hopping from one namespace's range to the next. */
  *#referencesTo(hash: Uint8Array): Generator<Buffer, void, undefined> {
    let start: Buffer | undefined = Buffer.alloc(1);
    while (start !== undefined) {
      const [first] = [...this.#references.getKeys({ start, limit: 1 })];
      if (first === undefined) return;
      const namespace = layout.namespaceOfReference(first);
      const key = layout.referenceKey(namespace, hash);
      if (this.#references.doesExist(key)) yield key;
      start = layout.afterNamespace(namespace);
    }
  }

  /** Runs `writes` as one transaction; resolves once it is on disk. */
  async #commit(writes: () => void): Promise<void> {
    const startedMs = this.options.clock.monotonicMs();
    try {
      await this.environment.batch(writes);
      await this.environment.flushed;
    } catch (thrown) {
      throw storeFailed(await causeOf(thrown));
    }
    this.options.onSync?.(this.options.clock.monotonicMs() - startedMs);
  }

  #readTotals(): layout.Totals {
    const value = this.#totals.getBinary(layout.TOTALS_KEY);
    return value === undefined ? { blocks: 0, bytes: 0 } : layout.decodeTotals(value);
  }

  #sizeOf(referenceKey: Buffer): number {
    return this.#references.getBinaryFast(referenceKey)?.readUInt32BE(0) ?? 0;
  }

  /** A copy: what getBinaryFast returns is overwritten by the next get, and only its `length` is right. */
  #contentOf(hash: Uint8Array): Buffer | undefined {
    const shared = this.#contents.getBinaryFast(hash);
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

/** A failed commit carries its cause in a promise that rejects with it, at once or never. */
async function causeOf(thrown: unknown): Promise<unknown> {
  if (!(thrown instanceof Error) || !('commitError' in thrown)) return thrown;
  try {
    await Promise.race([thrown.commitError, new Promise((resolve) => setImmediate(resolve))]);
    return thrown;
  } catch (cause) {
    return cause;
  }
}

function storeFailed(cause: unknown): DrystoneError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `the block store could not write: ${why}; check the disk's health and free space`;
  return new DrystoneError('INTERNAL', 'STORE_FAILED', message, {}, { cause });
}
