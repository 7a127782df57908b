import { hashBlockSync } from '../../../common/block-hash.js';
import {
  NO_BLOCKS,
  sameContent,
  type FileContent,
  type Item,
  type ItemContent,
  type ItemPath,
} from '../../../common/feed/item.js';
import { isAtOrBelow, parentPath } from '../../../common/feed/paths.js';
import { compareVersions, joinVersions } from '../../../common/feed/version.js';
import type { DeviceId } from '../../../common/ids.js';
import type { Random } from '../../../common/random.js';
import { plan } from '../../../client/plan/plan.js';
import type { Operation } from '../../../client/plan/operation.js';
import { contentOfLocal, type LocalEntry, type LocalFile } from '../../../client/state/local-entry.js';
import { MemoryTreeStore } from '../../../client/state/memory-tree-store.js';

/** What stands at a path of a simulated folder; a file's text stands for its bytes. */
export type Entry =
  | { readonly kind: 'file'; readonly text: string; readonly modifiedAtMs: number; readonly executable: boolean }
  | { readonly kind: 'directory' }
  | { readonly kind: 'symlink'; readonly target: string };

function fileContent(entry: Extract<Entry, { kind: 'file' }>): FileContent {
  const sizeBytes = entry.text.length;
  const blocks = sizeBytes === 0 ? NO_BLOCKS : { hashes: hashBlockSync(Buffer.from(entry.text)), sizes: [sizeBytes] };
  return { kind: 'file', sizeBytes, modifiedAtMs: entry.modifiedAtMs, executable: entry.executable, blocks };
}

/** A namespace that commits by the rules of proto/drystone/metadata/v1/commit.proto. */
export class SimulatedNamespace {
  readonly items = new Map<ItemPath, Item>();
  /** In the order of their last change. */
  readonly #feed: ItemPath[] = [];

  commit(item: Item): Item | 'conflict' {
    const current = this.items.get(item.path);
    const order = current === undefined ? 'dominates' : compareVersions(item.version, current.version);
    if (order === 'equal') return item;
    if (current !== undefined && order !== 'dominates') {
      if (!sameContent(current.content, item.content)) return 'conflict';
      this.#enter({ ...current, version: joinVersions(current.version, item.version) });
      return item;
    }
    this.#enter(item);
    return item;
  }

  /** Every item as it is now, oldest change first. */
  feed(): Item[] {
    return [...new Set([...this.#feed].reverse())].reverse().map((path) => this.items.get(path)!);
  }

  #enter(item: Item): void {
    this.items.set(item.path, item);
    this.#feed.push(item.path);
  }
}

/** One device: a folder in memory, its state, and the planner between them. */
export class SimulatedDevice {
  readonly folder = new Map<ItemPath, Entry>();
  state = new MemoryTreeStore();
  readonly #dirty = new Set<ItemPath>();

  constructor(
    readonly id: DeviceId,
    private readonly namespace: SimulatedNamespace,
  ) {}

  /** Notes what the folder holds. A file that changed has blocks that nobody has read yet. */
  async scan(): Promise<void> {
    const local = new Map<ItemPath, LocalEntry | undefined>();
    for (const path of [...this.state.local.pathsBelow('')]) if (!this.folder.has(path)) local.set(path, undefined);
    for (const [path, entry] of this.folder) {
      const seen = observe(path, entry, undefined);
      if (!sameEntry(this.state.local.get(path), seen)) local.set(path, seen);
    }
    await this.#write(local);
  }

  /** Reads a part of what is new in the feed. */
  async pull(random: Random): Promise<void> {
    const news = this.namespace.feed().filter((item) => {
      const known = this.state.remote.get(item.path);
      return known === undefined || compareVersions(item.version, known.version) !== 'equal';
    });
    const part = news.slice(0, Math.ceil(news.length * random.fraction()));
    await this.state.write({ remote: new Map(part.map((item) => [item.path, item])) });
    for (const { path } of part) this.#dirty.add(path);
  }

  /** Forgets everything but the folder, as when `.drystone` is thrown away. */
  forget(): void {
    this.state = new MemoryTreeStore();
  }

  /** Plans what is due and carries out a part of it, in order. Returns how many operations there were. */
  async step(random: Random): Promise<number> {
    const scope = [...this.#dirty];
    this.#dirty.clear();
    const { operations, deferred } = plan(this.state, scope, { device: this.id, nowMs: 0, leaveAlone: () => false });
    for (const path of deferred) this.#dirty.add(path);
    for (const operation of operations) {
      if (random.fraction() < 0.3) this.#dirty.add(operation.path);
      else await this.#carryOut(operation);
      if (operation.kind === 'move') this.#dirty.add(operation.from);
      this.#dirty.add(operation.path);
    }
    return operations.length;
  }

  async #write(
    local: Map<ItemPath, LocalEntry | undefined>,
    synced = new Map<ItemPath, Item | undefined>(),
  ): Promise<void> {
    await this.state.write({ local, synced });
    for (const path of local.keys()) this.#dirty.add(path);
  }

  async #carryOut(operation: Operation): Promise<void> {
    const { path } = operation;
    switch (operation.kind) {
      case 'adopt':
        return this.#write(new Map(), new Map([[path, operation.item]]));
      case 'read-file':
        return this.#write(new Map([[path, this.#read(path)]]));
      case 'commit-item':
        return this.#commit(operation);
      case 'make-directory':
        return this.#put(path, { kind: 'directory' }, operation.item, undefined);
      case 'make-symlink':
        return this.#put(path, operation.item.content, operation.item, operation.replaces);
      case 'set-attributes':
      case 'fetch-file':
        return this.#put(path, entryOf(operation.item.content), operation.item, operation.replaces);
      case 'remove':
        if (!this.#isAs(path, operation.replaces) || [...this.folder.keys()].some((other) => isBelow(other, path)))
          return;
        this.folder.delete(path);
        return this.#write(new Map([[path, undefined]]), new Map([[path, undefined]]));
      case 'move':
        if (!this.#isAs(operation.from, operation.source) || !this.#canMake(path, undefined)) return;
        this.folder.delete(operation.from);
        await this.#write(new Map([[operation.from, undefined]]), new Map([[operation.from, undefined]]));
        return this.#put(path, entryOf(operation.item.content), operation.item, undefined);
      case 'keep-conflict':
        if (!this.#isAs(path, operation.replaces)) return;
        for (const [from, entry] of [...this.folder]) {
          if (!isAtOrBelow(from, path)) continue;
          this.folder.delete(from);
          this.folder.set((operation.keptAs + from.slice(path.length)) as ItemPath, entry);
        }
        return this.scan();
    }
  }

  async #commit({ path, version, change }: Extract<Operation, { kind: 'commit-item' }>): Promise<void> {
    let content: ItemContent = { kind: 'deletion' };
    let local: LocalEntry | undefined;
    if (change.from === 'namespace') content = change.content;
    else if (change.from === 'folder') {
      local = this.#read(path);
      if (local === undefined) return;
      content = contentOfLocal(local)!;
      if (change.synced !== undefined && sameContent(content, change.synced.content)) {
        const before = change.synced.content;
        if (content.kind !== 'file' || (before.kind === 'file' && before.modifiedAtMs === content.modifiedAtMs)) {
          return this.#write(new Map([[path, local]]));
        }
      }
    }
    const item: Item = { path, version, author: this.id, content };
    const outcome = this.namespace.commit(item);
    if (outcome === 'conflict') {
      await this.state.write({ remote: new Map([[path, this.namespace.items.get(path)!]]) });
      if (local !== undefined) await this.#write(new Map([[path, local]]));
      return;
    }
    const known = this.state.remote.get(path);
    if (known === undefined || compareVersions(version, known.version) === 'dominates') {
      await this.state.write({ remote: new Map([[path, item]]) });
    }
    if (change.from === 'namespace') return;
    await this.#write(
      new Map(change.from === 'folder' ? [[path, local]] : []),
      new Map([[path, content.kind === 'deletion' ? undefined : item]]),
    );
  }

  async #put(path: ItemPath, entry: Entry, item: Item | undefined, replaces: LocalEntry | undefined): Promise<void> {
    if (!this.#canMake(path, replaces)) return;
    this.folder.set(path, entry);
    await this.#write(new Map([[path, this.#read(path)]]), item === undefined ? undefined : new Map([[path, item]]));
  }

  #canMake(path: ItemPath, replaces: LocalEntry | undefined): boolean {
    const above = parentPath(path);
    if (above !== undefined && this.folder.get(above)?.kind !== 'directory') return false;
    return this.#isAs(path, replaces);
  }

  #isAs(path: ItemPath, expected: LocalEntry | undefined): boolean {
    const entry = this.folder.get(path);
    if (entry === undefined || expected === undefined) return entry === expected;
    return sameEntry(expected, observe(path, entry, undefined));
  }

  #read(path: ItemPath): LocalEntry | undefined {
    const entry = this.folder.get(path);
    if (entry === undefined) return undefined;
    return observe(path, entry, entry.kind === 'file' ? fileContent(entry).blocks : undefined);
  }
}

function entryOf(content: FileContent): Entry {
  const text = textOf.get(Buffer.from(content.blocks.hashes).toString('hex'))!;
  return { kind: 'file', text, modifiedAtMs: content.modifiedAtMs, executable: content.executable };
}

/** Texts by their hash: what the block servers of this world hold. */
const textOf = new Map<string, string>([['', '']]);

function observe(path: ItemPath, entry: Entry, blocks: LocalFile['blocks']): LocalEntry {
  if (entry.kind !== 'file') return { ...entry, path };
  const content = fileContent(entry);
  textOf.set(Buffer.from(content.blocks.hashes).toString('hex'), entry.text);
  // The stamp stands for the whole content, as it does on a disk.
  const stamp = Buffer.concat([content.blocks.hashes, Buffer.from(`${entry.modifiedAtMs} ${entry.executable}`)]);
  const changedAtNs = hashBlockSync(stamp).readBigInt64LE();
  return {
    kind: 'file',
    path,
    modifiedAtMs: entry.modifiedAtMs,
    executable: entry.executable,
    stamp: { sizeBytes: content.sizeBytes, modifiedAtNs: BigInt(entry.modifiedAtMs), changedAtNs, inode: 1n },
    blocks,
  };
}

function sameEntry(a: LocalEntry | undefined, b: LocalEntry): boolean {
  if (a?.kind !== b.kind) return false;
  if (a.kind === 'file') return b.kind === 'file' && a.stamp.changedAtNs === b.stamp.changedAtNs;
  return a.kind !== 'symlink' || (b.kind === 'symlink' && a.target === b.target);
}

function isBelow(path: ItemPath, above: ItemPath): boolean {
  return path !== above && isAtOrBelow(path, above);
}
