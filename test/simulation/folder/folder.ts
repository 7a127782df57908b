import { isAtOrBelow, parentPath } from '../../../common/feed/paths.js';
import type { ItemPath } from '../../../common/feed/item.js';
import type { Random } from '../../../common/random.js';
import type { Observation } from '../../../client/observe/observation.js';
import type { SimulatedTime } from '../time.js';

/** What stands at a path. Entries never change: another one takes their place. */
export type Entry = FileEntry | { readonly kind: 'directory' } | { readonly kind: 'symlink'; readonly target: string };

export interface FileEntry {
  readonly kind: 'file';
  readonly bytes: Buffer;
  readonly modifiedAtMs: number;
  readonly executable: boolean;
  readonly inode: bigint;
  readonly changedAtNs: bigint;
  /** Whether its bytes survive a power cut. */
  readonly isSynced: boolean;
}

/** What a file is, apart from what the file system makes of it. */
export type FileContents = Pick<FileEntry, 'bytes' | 'modifiedAtMs' | 'executable'>;

/** A file that is being written, outside the tree. */
export interface Temporary {
  readonly bytes: Buffer;
  isSynced: boolean;
}

/** The clock of the file system ticks this often: changes within one tick carry the same time. */
const TICK_MS = 4;
const NS_PER_MS = 1_000_000n;

/**
 * A folder on a disk. What programs change is there at once and is lost with the power until its directory was synced; what
 * people change is kept, and with it what programs changed before.
 */
export class SimulatedFolder {
  readonly entries = new Map<ItemPath, Entry>();
  readonly temporaries = new Map<string, Temporary>();
  isFull = false;
  #inodes = 0n;
  #unsynced: (() => void)[] = [];
  #onTouch: (path: ItemPath) => void = () => undefined;

  constructor(private readonly time: Pick<SimulatedTime, 'nowMs'>) {}

  /** From now on `listener` is told of every path that is touched, and nobody else. */
  watch(listener: (path: ItemPath) => void): void {
    this.#onTouch = listener;
  }

  /** What stands at a path, as a look at the disk tells. */
  observe(path: ItemPath): Observation | undefined {
    const entry = this.entries.get(path);
    if (entry === undefined) return undefined;
    if (entry.kind === 'directory') return { kind: 'directory', path };
    if (entry.kind === 'symlink') return { kind: 'symlink', path, target: entry.target };
    const { modifiedAtMs, executable } = entry;
    return { kind: 'file', path, stamp: stampOf(entry), modifiedAtMs, executable };
  }

  /** Whether everything above a path is a directory. */
  hasParent(path: ItemPath): boolean {
    const above = parentPath(path);
    return above === undefined || this.entries.get(above)?.kind === 'directory';
  }

  isEmpty(path: ItemPath): boolean {
    return ![...this.entries.keys()].some((other) => other !== path && isAtOrBelow(other, path));
  }

  /** A file as it comes to stand now. */
  newFile(contents: FileContents, isSynced: boolean): FileEntry {
    return { kind: 'file', ...contents, inode: ++this.#inodes, changedAtNs: this.#tickNs(), isSynced };
  }

  /** The same file with a new time of change. */
  touched(file: FileEntry, change: Partial<FileContents>): FileEntry {
    return { ...file, ...change, changedAtNs: this.#tickNs() };
  }

  /** A program changes an entry; it is durable after {@link sync}. */
  put(path: ItemPath, entry: Entry | undefined): void {
    const before = this.entries.get(path);
    this.#set(path, entry);
    this.#unsynced.push(() => this.#set(path, before));
  }

  /** A person changes an entry; that is durable, and all that was before it. */
  edit(path: ItemPath, entry: Entry | undefined): void {
    this.sync();
    this.#set(path, entry);
  }

  /** A program gives an entry, with everything below, another name; durable after {@link sync}. */
  rename(from: ItemPath, to: ItemPath): void {
    const undo: (() => void)[] = [];
    for (const [path, entry] of [...this.entries]) {
      if (!isAtOrBelow(path, from)) continue;
      const target = (to + path.slice(from.length)) as ItemPath;
      const before = this.entries.get(target);
      undo.push(() => {
        this.#set(target, before);
        this.#set(path, entry);
      });
      this.#set(path, undefined);
      this.#set(target, path === from && entry.kind === 'file' ? this.touched(entry, {}) : entry);
    }
    this.#unsynced.push(() => undo.reverse().forEach((step) => step()));
  }

  /** What people, and programs so far, have changed is durable. */
  sync(): void {
    this.#unsynced = [];
  }

  /** Takes back some of what was not synced, the last first, and the bytes of files that were not. */
  losePower(random: Random): void {
    const kept = Math.floor(random.fraction() * (this.#unsynced.length + 1));
    for (const undo of this.#unsynced.splice(kept).reverse()) undo();
    this.#unsynced = [];
    for (const [path, entry] of this.entries) {
      if (entry.kind !== 'file' || entry.isSynced) continue;
      this.entries.set(path, { ...entry, bytes: Buffer.alloc(entry.bytes.length), isSynced: true });
    }
    for (const [name, temporary] of this.temporaries) {
      if (temporary.isSynced) continue;
      if (random.fraction() < 0.5) this.temporaries.delete(name);
      else temporary.bytes.fill(0, Math.floor(random.fraction() * temporary.bytes.length));
    }
  }

  #set(path: ItemPath, entry: Entry | undefined): void {
    if (entry === undefined) this.entries.delete(path);
    else this.entries.set(path, entry);
    this.#onTouch(path);
  }

  #tickNs(): bigint {
    return BigInt(Math.floor(this.time.nowMs / TICK_MS) * TICK_MS) * NS_PER_MS;
  }
}

/** What tells a file's content without reading it. */
export function stampOf({ bytes, modifiedAtMs, changedAtNs, inode }: FileEntry) {
  return { sizeBytes: bytes.length, modifiedAtNs: BigInt(modifiedAtMs) * NS_PER_MS, changedAtNs, inode };
}
