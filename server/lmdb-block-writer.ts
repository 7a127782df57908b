import type { Database } from 'lmdb';
import { hashKey, type HashKey } from '../common/block-hash.js';
import type { Clock } from '../common/clock.js';
import { idBytes, type NamespaceId } from '../common/ids.js';
import type { Medium } from '../common/store/medium.js';
import type { Block } from './block.js';
import type { PutOutcome } from './block-store.js';
import * as layout from './lmdb-block-layout.js';

export type BytesDatabase = Database<Buffer, Uint8Array>;

/** The databases of a block store; `layout` says what they hold. */
export interface BlockDatabases {
  readonly contents: BytesDatabase;
  readonly references: BytesDatabase;
  /** With versions: each change of the store makes the next one. */
  readonly totals: BytesDatabase;
}

/** Blocks put together by one caller. */
export interface PutJob {
  readonly namespaceId: NamespaceId;
  readonly blocks: readonly Block[];
}

/** A change of the store, made on the ground of what the store held in one version. */
interface Change {
  /** The version that it is made for; undefined where there is none yet. */
  readonly base: number | undefined;
  readonly contents: ReadonlyMap<HashKey, Block>;
  readonly references: ReadonlyMap<string, { readonly key: Buffer; readonly size: Buffer }>;
  readonly totals: layout.Totals;
}

/** A change on its way to the disk. */
interface ChangeUnderWay {
  readonly change: Change;
  /** Whether it took place. False where the store had another version than `base`; rejects where it cannot be written. */
  readonly written: Promise<boolean>;
}

/**
 * Writes to a block store. A change may be handed to LMDB while the one before it is being written, on the assumption that
 * that one succeeds: LMDB writes it only if the store then has the version that it was made for, and otherwise it is made
 * anew. So the disk never waits for the event loop, and a failed change leaves nothing behind in those after it.
 */
export class LmdbBlockWriter {
  /** The change handed over last, while it is under way. */
  #last: ChangeUnderWay | undefined;
  /** Removals take turns with each other and with everything else. */
  #removing: Promise<unknown> | undefined;

  constructor(
    readonly databases: BlockDatabases,
    readonly medium: Medium,
    readonly clock: Clock,
    readonly onSync: (durationMs: number) => void = noop,
  ) {}

  /** Writes what is not there yet of these jobs, in one synced transaction. At most two calls may be under way. */
  async put(jobs: readonly PutJob[]): Promise<readonly PutOutcome[]> {
    if (this.medium.wasFull) await this.medium.requireRoom();
    for (let attempt = 0; ; attempt++) {
      while (this.#removing !== undefined) await this.#removing;
      // Having failed with the change before it, a change is made anew only on what is on disk.
      if (attempt > 0) await this.#quiet();
      const { change, outcomes } = this.#plan(jobs);
      const isEmpty = change.contents.size === 0 && change.references.size === 0;
      // What is there already has been synced, or is being: then its fate decides.
      if (await (isEmpty ? this.#lastWritten() : this.#write(change))) return outcomes;
    }
  }

  /** Removes a block and all references to it, in one synced transaction. */
  async remove(hash: Uint8Array): Promise<void> {
    while (this.#removing !== undefined) await this.#removing;
    const removal = this.#removeWhenQuiet(hash);
    this.#removing = removal.then(noop, noop).finally(() => (this.#removing = undefined));
    await removal;
  }

  /** What the store holds. */
  totals(): layout.Totals {
    const entry = this.databases.totals.getEntry(layout.TOTALS_KEY);
    return entry === undefined ? { blocks: 0, bytes: 0 } : layout.decodeTotals(entry.value);
  }

  /** Whether the change under way, if there is one, has taken place. */
  async #lastWritten(): Promise<boolean> {
    return this.#last === undefined || this.#last.written.catch(() => false);
  }

  async #quiet(): Promise<void> {
    while (this.#last !== undefined) await this.#last.written.then(noop, noop);
  }

  /** What is on disk, or is to be by the change under way, or comes earlier among the jobs, is not written again. */
  #plan(jobs: readonly PutJob[]): { readonly change: Change; readonly outcomes: readonly PutOutcome[] } {
    const before = this.#last?.change;
    const contents = new Map<HashKey, Block>();
    const references = new Map<string, { key: Buffer; size: Buffer }>();
    let totals = before?.totals ?? this.totals();
    const outcomes = jobs.map(({ namespaceId, blocks }) => {
      const namespace = idBytes(namespaceId);
      let newBlocks = 0;
      let newBytes = 0;
      for (const block of blocks) {
        const hash = hashKey(block.hash);
        const isKnown = contents.has(hash) || before?.contents.has(hash) === true;
        if (!isKnown && !this.databases.contents.doesExist(block.hash)) {
          contents.set(hash, block);
          newBlocks++;
          newBytes += block.data.length;
        }
        const key = layout.referenceKey(namespace, block.hash);
        const name = key.toString('latin1');
        if (before?.references.has(name) !== true && !this.databases.references.doesExist(key)) {
          references.set(name, { key, size: layout.encodeSize(block.data.length) });
        }
      }
      totals = { blocks: totals.blocks + newBlocks, bytes: totals.bytes + newBytes };
      return { newBlocks, newBytes };
    });
    const base = before === undefined ? this.#version() : versionAfter(before.base);
    return { change: { base, contents, references, totals }, outcomes };
  }

  #write(change: Change): Promise<boolean> {
    const { contents, references, totals } = this.databases;
    const written = this.#commit(change.base, () => {
      for (const { hash, data } of change.contents.values()) void contents.put(hash, data as Buffer);
      for (const { key, size } of change.references.values()) void references.put(key, size);
      void totals.put(layout.TOTALS_KEY, layout.encodeTotals(change.totals), versionAfter(change.base));
    });
    const underWay: ChangeUnderWay = { change, written };
    this.#last = underWay;
    const settle = (): void => {
      if (this.#last === underWay) this.#last = undefined;
    };
    written.then(settle, settle);
    return written;
  }

  async #removeWhenQuiet(hash: Uint8Array): Promise<void> {
    do await this.#quiet();
    while (!(await this.#remove(hash)));
  }

  async #remove(hash: Uint8Array): Promise<boolean> {
    const { contents, references, totals } = this.databases;
    const sizeBytes = contents.getBinaryFast(hash)?.length;
    const keys = [...this.#referencesTo(hash)];
    if (sizeBytes === undefined && keys.length === 0) return true;
    const { blocks, bytes } = this.totals();
    const base = this.#version();
    return this.#commit(base, () => {
      void contents.remove(hash);
      for (const key of keys) void references.remove(key);
      const left = sizeBytes === undefined ? { blocks, bytes } : { blocks: blocks - 1, bytes: bytes - sizeBytes };
      void totals.put(layout.TOTALS_KEY, layout.encodeTotals(left), versionAfter(base));
    });
  }

  /** Looks the block up in each namespace, by hopping from one namespace's range to the next. */
  *#referencesTo(hash: Uint8Array): Generator<Buffer, void, undefined> {
    const { references } = this.databases;
    let start: Buffer | undefined = Buffer.alloc(1);
    while (start !== undefined) {
      const [first] = [...references.getKeys({ start, limit: 1 })];
      if (first === undefined) return;
      const namespace = layout.namespaceOfReference(first);
      const key = layout.referenceKey(namespace, hash);
      if (references.doesExist(key)) yield key;
      start = layout.afterNamespace(namespace);
    }
  }

  #version(): number | undefined {
    return this.databases.totals.getEntry(layout.TOTALS_KEY)?.version;
  }

  /** Runs `writes` as one transaction if the store has version `base`; resolves once it is on disk, or with false. */
  async #commit(base: number | undefined, writes: () => void): Promise<boolean> {
    const { totals } = this.databases;
    const startedMs = this.clock.monotonicMs();
    try {
      const condition =
        base === undefined
          ? totals.ifNoExists(layout.TOTALS_KEY, writes)
          : totals.ifVersion(layout.TOTALS_KEY, base, writes);
      // It resolves after the sync, because the environment is opened without overlapping syncs.
      if (!(await condition)) return false;
    } catch (thrown) {
      throw await this.medium.failure(thrown);
    }
    this.onSync(this.clock.monotonicMs() - startedMs);
    return true;
  }
}

function noop(): void {
  return undefined;
}

function versionAfter(base: number | undefined): number {
  return (base ?? 0) + 1;
}
