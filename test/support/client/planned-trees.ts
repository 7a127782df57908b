import type { Operation } from '../../../client/plan/operation.js';
import { everyPath, plan } from '../../../client/plan/plan.js';
import type { ConflictRule } from '../../../client/plan/situation.js';
import type { LocalEntry, LocalFile } from '../../../client/state/local-entry.js';
import { MemoryTreeStore } from '../../../client/state/memory-tree-store.js';
import { hashBlockSync } from '../../../common/block-hash.js';
import type { Item, ItemContent, ItemPath } from '../../../common/feed/item.js';
import { itemOf } from '../../../common/feed/merge.js';
import type { DeviceId, ReplicaId } from '../../../common/ids.js';

export const OURS = 'a'.repeat(32) as DeviceId;
export const THEIRS = 'b'.repeat(32) as DeviceId;
export const HERE = 'c'.repeat(32) as ReplicaId;
export const THERE = 'd'.repeat(32) as ReplicaId;
/** When plans are made. */
export const NOW_MS = 1_800_000_000_000;

const blocksOf = (text: string) => ({ hashes: hashBlockSync(Buffer.from(text)), sizes: [text.length] });

export function text(content: string, modifiedAtMs = 0): ItemContent {
  return { kind: 'file', sizeBytes: content.length, modifiedAtMs, executable: false, blocks: blocksOf(content) };
}

export function item(path: string, counter: number, content: ItemContent, replicaId = THERE): Item {
  const change = { replicaId, counter };
  const author = replicaId === THERE ? THEIRS : OURS;
  return itemOf(path as ItemPath, [change], [{ change, at: { wallMs: counter, logical: 0 }, author, content }]);
}

export function localFile(path: string, content: string, more: Partial<LocalFile> = {}): LocalFile {
  const stamp = { sizeBytes: content.length, modifiedAtNs: 0n, changedAtNs: 0n, inode: 1n };
  const file = { kind: 'file', path: path as ItemPath, stamp, modifiedAtMs: 0, executable: false } as const;
  return { ...file, blocks: blocksOf(content), ...more };
}

function localEntry(path: string, content: ItemContent): LocalEntry {
  if (content.kind === 'symlink') return { ...content, path: path as ItemPath };
  return { kind: 'directory', path: path as ItemPath };
}

interface PlanOptions {
  readonly scope?: readonly string[];
  readonly ignored?: string;
  readonly conflicts?: ConflictRule;
  readonly isProvisionalDue?: boolean;
  readonly isRelayAwaited?: boolean;
}

/** The trees of a folder, and what is planned for what they say. */
export class PlannedTrees {
  readonly trees = new MemoryTreeStore();

  /** Both sides agree on these: a text is a file's. */
  async agreed(entries: Record<string, string | ItemContent>): Promise<void> {
    for (const [path, entry] of Object.entries(entries)) {
      const content = typeof entry === 'string' ? text(entry) : entry;
      await this.namespaceHas(path, content, 1);
      await this.trees.write({ synced: new Map([[path as ItemPath, item(path, 1, content)]]) });
      await this.folderHas(typeof entry === 'string' ? localFile(path, entry) : localEntry(path, entry));
    }
  }

  async namespaceHas(path: string, content: ItemContent, counter = 2): Promise<void> {
    await this.trees.write({ remote: new Map([[path as ItemPath, item(path, counter, content)]]) });
  }

  async folderHas(...entries: LocalEntry[]): Promise<void> {
    await this.trees.write({ local: new Map(entries.map((entry) => [entry.path, entry])) });
  }

  async folderLacks(path: string): Promise<void> {
    await this.trees.write({ local: new Map([[path as ItemPath, undefined]]) });
  }

  /** The folder has said this of what both sides agreed on, and not been answered. */
  async offered(path: string, counter: number, content: ItemContent): Promise<Item> {
    const said = item(path, counter, content, HERE);
    const offer = { ...said, version: [...said.version, { replicaId: THERE, counter: 1 }] };
    await this.trees.write({ offered: new Map([[offer.path, offer]]) });
    return offer;
  }

  /** The folder has told an agent this, which both sides agree on since; metadata is not known to have it. */
  async told(path: string, counter: number, content: ItemContent): Promise<Item> {
    const said = item(path, counter, content, HERE);
    const synced = content.kind === 'deletion' ? undefined : said;
    const items = new Map([[said.path, said]]);
    await this.trees.write({ remote: items, provisional: items, synced: new Map([[said.path, synced]]) });
    return said;
  }

  planned({
    scope,
    ignored,
    conflicts = 'settle',
    isProvisionalDue = false,
    isRelayAwaited = false,
  }: PlanOptions = {}): {
    steps: string[];
    operations: readonly Operation[];
  } {
    const paths = scope === undefined ? everyPath(this.trees) : (scope as ItemPath[]);
    const leaveAlone = (path: ItemPath): boolean => path === ignored;
    const { operations } = plan(this.trees, paths, {
      device: OURS,
      replica: HERE,
      nowMs: NOW_MS,
      conflicts,
      isProvisionalDue: () => isProvisionalDue,
      isRelayAwaited,
      leaveAlone,
    });
    return { operations, steps: operations.map(({ kind, path }) => `${kind} ${path}`) };
  }
}
