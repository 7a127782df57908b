import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { open, type Database, type RootDatabase } from 'lmdb';
import { InFlightGate } from '../concurrency/in-flight-gate.js';
import { syncDirectory } from '../files/durable-file.js';
import { makeDirectory } from '../files/make-directory.js';
import type { KeyRange } from './keys.js';
import { inTransaction } from './lmdb-transaction.js';
import { Medium } from './medium.js';

export type Tree = Database<Buffer, Uint8Array>;

export interface LmdbEnvironmentOptions<Name extends string> {
  /** A directory for the environment alone; made where it is not there. One process at a time. */
  readonly path: string;
  readonly treeNames: readonly Name[];
  /** Largest size to which it may grow: address space, not disk. */
  readonly mapBytes: number;
  /** What it is, as errors call it: "the metadata store". */
  readonly what: string;
}

/** 4 KiB whatever the platform's own page is, so that a directory can move between machines. */
const PAGE_BYTES = 4096;
const RAW = { encoding: 'binary', keyEncoding: 'binary' } as const;

/** Opens, or makes, an environment. */
export async function openLmdbEnvironment<Name extends string>(
  options: LmdbEnvironmentOptions<Name>,
): Promise<LmdbEnvironment<Name>> {
  const { path, treeNames, mapBytes } = options;
  // Whoever reads the files knows what is in them.
  await makeDirectory(path, 0o700);
  const root = open<Buffer, Uint8Array>({
    ...RAW,
    path,
    noSubdir: false,
    maxDbs: treeNames.length,
    mapSize: mapBytes,
    pageSize: PAGE_BYTES,
    // A commit is on disk before it can be seen: a reader must never be told of what a power cut may take back, because
    // the next commit would then give its cursor to another item.
    overlappingSync: false,
    // Every write here is in a transaction of its own making.
    eventTurnBatching: false,
  });
  const environment = new LmdbEnvironment(root, options);
  // The files themselves must survive a power cut, not only what is in them.
  await syncDirectory(path);
  await syncDirectory(dirname(path));
  return environment;
}

/** The trees of a store, and transactions over them. */
export class LmdbEnvironment<Name extends string> {
  readonly trees: Readonly<Record<Name, Tree>>;
  readonly #gate: InFlightGate;
  readonly #medium: Medium;

  constructor(
    readonly root: RootDatabase<Buffer, Uint8Array>,
    readonly options: LmdbEnvironmentOptions<Name>,
  ) {
    const opened = options.treeNames.map((name): [Name, Tree] => [name, root.openDB({ ...RAW, name })]);
    this.trees = Object.fromEntries(opened) as Record<Name, Tree>;
    this.#gate = new InFlightGate(options.what);
    this.#medium = new Medium(options.what, options.path);
  }

  /** Runs `work`, which must not wait, on one snapshot. */
  read<T>(work: () => T): Promise<T> {
    return this.#gate.run(async () => work());
  }

  /**
   * Runs `work`, which must not wait, as one transaction: it sees its own writes, and those of all calls before; if it
   * throws nothing of it remains. Resolves once it is on disk. Calls that overlap share a sync. Raises what
   * {@link inTransaction} does where the medium fails.
   */
  write<T>(work: () => T): Promise<T> {
    return this.#gate.run(() => inTransaction(this.root, this.#medium, work));
  }

  /** Bytes of the environment's file. */
  fileBytes(): Promise<number> {
    return this.#gate.run(async () => (await stat(join(this.options.path, 'data.mdb'))).size);
  }

  /** Waits for what has begun, then closes. Idempotent. */
  close(): Promise<void> {
    return this.#gate.close(() => this.root.close());
  }
}

/**
 * A copy of a value, which later reads leave alone: what getBinaryFast returns is overwritten by the next one, and only
 * its `length` is right.
 */
export function copyOf(shared: Buffer): Buffer {
  const copy = Buffer.allocUnsafe(shared.length);
  copy.set(shared.subarray(0, shared.length));
  return copy;
}

/** The keys of a part of a tree. They are taken as a whole: a cursor left open pins its snapshot and makes the file grow. */
export function keysOf(
  tree: Tree,
  range: KeyRange & { readonly limit?: number; readonly reverse?: boolean },
): Uint8Array[] {
  return [...tree.getKeys(range)];
}

/** A part of the keys of a tree. */
export interface KeyPage {
  readonly rows: readonly Uint8Array[];
  /** Whether there are keys after the last of these. */
  readonly hasMore: boolean;
}

/** The first `limit` keys of a part of a tree. */
export function keyPage(tree: Tree, range: KeyRange, limit: number): KeyPage {
  const keys = keysOf(tree, { ...range, limit: limit + 1 });
  return { rows: keys.slice(0, limit), hasMore: keys.length > limit };
}

/** How many entries a tree has. */
export function entryCount(tree: Tree): number {
  const stats = tree.getStats();
  return 'entryCount' in stats && typeof stats.entryCount === 'number' ? stats.entryCount : 0;
}
