import { hashBlockSync } from '../../../common/block-hash.js';
import { NO_BLOCKS, type FileContent, type Item, type ItemPath } from '../../../common/feed/item.js';
import { hasSeen, itemOf, sameItem } from '../../../common/feed/merge.js';
import { isAtOrBelow, parentPath } from '../../../common/feed/paths.js';
import type { DeviceId, ReplicaId } from '../../../common/ids.js';
import type { Random } from '../../../common/random.js';
import { live, sameState } from '../../../client/plan/difference.js';
import type { CommitItem, Operation, Settle } from '../../../client/plan/operation.js';
import { everyPath, plan } from '../../../client/plan/plan.js';
import type { PlanRules } from '../../../client/plan/situation.js';
import { contentOfLocal, type LocalEntry, type LocalFile } from '../../../client/state/local-entry.js';
import { MemoryTreeStore } from '../../../client/state/memory-tree-store.js';
import type { Answer, SimulatedNamespace } from './simulated-namespace.js';

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

/** How well the line between a device and the namespace does. */
export interface Line {
  /** The share of commits that get there and whose answers do not. */
  readonly losesAnswers: number;
  /** The share of commits that get there some time later. */
  readonly delays: number;
}

const GOOD_LINE: Line = { losesAnswers: 0, delays: 0 };

/** One device: a folder in memory, its state, and the planner between them. */
export class SimulatedDevice {
  readonly folder = new Map<ItemPath, Entry>();
  state = new MemoryTreeStore();
  line: Line = GOOD_LINE;
  /** How far this device's clock is from those of the others. */
  skewMs = 0;
  readonly #dirty = new Set<ItemPath>();
  #steps = 0;
  #lives = 1;

  /** @param letter of its folder: a device may have several. */
  constructor(
    readonly id: DeviceId,
    private readonly letter: string,
    private readonly namespace: SimulatedNamespace,
    private readonly random: Random,
  ) {}

  get rules(): PlanRules {
    return {
      device: this.id,
      replica: `${this.letter.repeat(31)}${this.#lives}` as ReplicaId,
      nowMs: 1_700_000_000_000 + this.skewMs + this.#steps,
      conflicts: 'settle',
      leaveAlone: () => false,
    };
  }

  /** Notes what the folder holds. A file that changed has blocks that nobody has read yet. */
  dirtyPaths() {
    return [...this.#dirty];
  }
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
      return known === undefined || !sameItem(known, item);
    });
    const part = news.slice(0, Math.ceil(news.length * random.fraction()));
    await this.state.write({ remote: new Map(part.map((item) => [item.path, item])) });
    for (const { path } of part) this.#dirty.add(path);
  }

  /** Forgets everything but the folder, as when `.drystone` is thrown away. */
  forget(): void {
    this.state = new MemoryTreeStore();
    this.#lives++;
  }

  /** Loses what is not in the state, as when the process ends. */
  crash(): void {
    this.#dirty.clear();
    for (const path of everyPath(this.state)) this.#dirty.add(path);
  }

  /** Plans what is due and carries out a part of it, in order. Returns how many operations there were. */
  async step(random: Random): Promise<number> {
    const scope = [...this.#dirty];
    this.#dirty.clear();
    this.#steps++;
    const { operations, deferred } = plan(this.state, scope, this.rules);
    for (const path of deferred) this.#dirty.add(path);
    for (const operation of operations) {
      if (random.fraction() >= 0.3) await this.#carryOut(operation);
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
      case 'settle':
        return this.#settle(operation);
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

  async #commit({ path, offer, again, change }: CommitItem): Promise<void> {
    const local = change.from === 'folder' ? this.#read(path) : undefined;
    if (change.from === 'folder' && local === undefined) return;
    const content = local === undefined ? ({ kind: 'deletion' } as const) : contentOfLocal(local)!;
    const isAsSynced =
      change.from === 'folder' && change.synced !== undefined && sameState(content, change.synced.content);
    if (isAsSynced || (again !== undefined && !sameState(content, again.content))) {
      return this.#write(new Map([[path, local]]));
    }
    const { version, ...state } = offer;
    const item = itemOf(path, version, [{ ...state, content }]);
    await this.state.write({ offered: new Map([[path, item]]), local: new Map(local && [[path, local]]) });
    const [answer] = this.#send([item]) ?? [];
    if (answer === undefined) return;
    const { held } = answer;
    const remote = new Map(held && [[path, held]]);
    if (held === undefined || !hasSeen(held, item)) {
      await this.state.write({ remote, offered: new Map([[path, undefined]]) });
      return;
    }
    await this.state.write({ remote, synced: new Map([[path, live(item)]]) });
  }

  async #settle({ items }: Settle): Promise<void> {
    for (const { held } of this.#send(items) ?? []) {
      if (held === undefined) continue;
      await this.state.write({ remote: new Map([[held.path, held]]) });
      this.#dirty.add(held.path);
    }
  }

  /** What the namespace answers, unless the line is bad. */
  #send(items: readonly Item[]): Answer[] | undefined {
    const chance = this.random.fraction();
    if (chance < this.line.delays) {
      this.namespace.commitLate(this.id, items);
      return undefined;
    }
    const answers = this.namespace.commit(this.id, items);
    return chance < this.line.delays + this.line.losesAnswers ? undefined : answers;
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
