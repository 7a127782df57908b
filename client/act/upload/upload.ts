import { asBuffer } from '../../../common/block-hash.js';
import { ByteBudget } from '../../../common/concurrency/byte-budget.js';
import type { Blocklist, Item, ItemContent, ItemPath } from '../../../common/feed/item.js';
import { itemOf } from '../../../common/feed/merge.js';
import type { Cursor, NamespaceId } from '../../../common/ids.js';
import { clientLimits } from '../../../common/limits.js';
import type { CutBlock, Cutter } from '../../observe/cutter.js';
import { readBlock } from '../../observe/read-block.js';
import { haveSameBytes, sameState } from '../../plan/difference.js';
import type { CommitItem, Settle } from '../../plan/operation.js';
import { contentOfFile, contentOfLocal, type LocalEntry, type LocalFile } from '../../state/local-entry.js';
import type { SyncTally } from '../../tally.js';
import type { Upstream } from '../../upstream/upstream.js';
import { runTogether } from '../run-together.js';
import { BlockSender } from './block-sender.js';
import { CommitSender } from './commit-sender.js';
import { cutFiles } from './file-cutting.js';
import { PendingFile, type ReadyItem, type UploadOutcome } from './pending-item.js';

/** Operations that bring something into the namespace. */
export type UploadOperation = CommitItem | Settle;

export interface UploadParts {
  readonly namespaceId: NamespaceId;
  readonly upstream: Upstream;
  readonly cutter: Cutter;
  readonly tally: SyncTally;
  /** Where a path lies on this disk. */
  readonly absolutePath: (path: ItemPath) => string;
  /** Notes, durably enough to survive this process, that these items are about to be sent. */
  readonly onOffer: (items: readonly ReadyItem[]) => Promise<void>;
  /** See `CommitSenderParts.checkHeld`. */
  readonly checkHeld: (item: Item) => void;
  /** Told of operations as they are settled. */
  readonly onOutcomes: (outcomes: readonly UploadOutcome[]) => void;
  /** The feed's last cursor after a commit. */
  readonly onCursor: (cursor: Cursor) => void;
}

/**
 * Brings states of the folder into the namespace: files are cut, their blocks asked about, the missing ones put to the
 * target, the items pushed, all at the same time and through bounded queues, so that a file's first blocks travel
 * while its last are being read. Receipts are taken to metadata as they come, where it is the upstream: after a crash nothing that is stored travels
 * again.
 *
 * Items enter the feed in the order of `operations` as far as their blocks allow, deletions after everything else, save
 * for the deletion of a file whose content comes back under another name: the two enter together, so that a reader can
 * tell a rename.
 *
 * Raises the errors of the upstream and of the target; operations whose outcome was not told by then are as they were.
 */
export async function upload(
  operations: readonly UploadOperation[],
  parts: UploadParts,
  signal: AbortSignal,
): Promise<void> {
  const { namespaceId, upstream, tally, absolutePath, onOffer, checkHeld, onOutcomes, onCursor } = parts;
  const budget = new ByteBudget(clientLimits.uploadBytesInFlight);
  const commits = new CommitSender({
    upstream,
    onOffer,
    checkHeld,
    onOutcomes,
    onCursor,
    onRecorded: (receipts) => {
      for (const { hashes } of receipts) sender.recorded(hashes);
    },
  });
  const sender = new BlockSender({
    namespaceId,
    upstream,
    budget,
    tally,
    onReceipt: (receipt) => (upstream.isProvisional ? sender.recorded(receipt.hashes) : commits.addReceipt(receipt)),
  });
  const job = new UploadJob(operations, parts, commits);
  await runTogether(signal, [
    async (together) => {
      job.addWithoutContent();
      const take = async (block: CutBlock, pending: PendingFile, taking: AbortSignal): Promise<void> => {
        if (!upstream.takesBlocks) {
          pending.blockStored();
          return;
        }
        const read = (): Promise<Buffer> => readBlock(absolutePath(pending.file.path), block);
        await budget.take(block.sizeBytes, taking);
        await sender.send({ ...block, read, onStored: () => pending.blockStored() });
      };
      await cutFiles(job.files(), { ...parts, take }, together);
      sender.end();
    },
    async (together) => {
      await sender.run(together);
      job.addDeletions();
      commits.end();
    },
    (together) => commits.run(together),
  ]);
}

/** The operations of one upload, as they become items that can be committed. */
class UploadJob {
  /** Deletions of files, by what the files held. */
  readonly #leaving = new Map<string, CommitItem[]>();
  readonly #deletions = new Set<CommitItem>();

  constructor(
    private readonly operations: readonly UploadOperation[],
    private readonly parts: UploadParts,
    private readonly commits: CommitSender,
  ) {}

  /** Commits what has no bytes of its own to be stored, and keeps deletions for later. */
  addWithoutContent(): void {
    for (const operation of this.operations) {
      if (operation.kind === 'settle') {
        this.#addSettlement(operation);
        continue;
      }
      const { change } = operation;
      if (change.from === 'deletion') this.#keepDeletion(operation, change.synced);
      else if (change.entry.kind !== 'file') this.#addEntry(operation, change.entry);
    }
  }

  /** The files to be cut, in the order of the operations. */
  files(): PendingFile[] {
    const files: PendingFile[] = [];
    for (const operation of this.operations) {
      if (operation.kind !== 'commit-item' || operation.change.from !== 'folder') continue;
      const { entry, synced } = operation.change;
      if (entry.kind !== 'file') continue;
      const onStored = (blocks: Blocklist): void => this.#fileStored(operation, entry, synced, blocks);
      files.push(new PendingFile(entry, blocksOf(synced), onStored));
    }
    return files;
  }

  /** Commits the deletions that belong to no rename. */
  addDeletions(): void {
    for (const operation of this.#deletions) this.commits.add([readyItem(operation, { kind: 'deletion' }, undefined)]);
  }

  /** Where blocks go nowhere, those of the sides may be in one folder alone, which must not lose them. */
  #addSettlement(operation: Settle): void {
    const items = operation.items.map((item) => ({ operation, item, entry: undefined }));
    if (this.parts.upstream.takesBlocks) this.commits.add(items);
    else this.parts.onOutcomes(items.map((item) => ({ outcome: 'missing', ...item })));
  }

  #addEntry(operation: CommitItem, entry: LocalEntry): void {
    const content = contentOfLocal(entry);
    if (content !== undefined) this.commits.add([readyItem(operation, content, entry)]);
  }

  #keepDeletion(operation: CommitItem, synced: Item | undefined): void {
    this.#deletions.add(operation);
    if (synced?.content.kind !== 'file' || synced.content.sizeBytes === 0) return;
    const key = contentKey(synced.content.blocks);
    this.#leaving.set(key, [...(this.#leaving.get(key) ?? []), operation]);
  }

  #fileStored(operation: CommitItem, file: LocalFile, synced: Item | undefined, blocks: Blocklist): void {
    const content = contentOfFile(file, blocks);
    const entry = { ...file, blocks };
    const isAsSynced = synced !== undefined && sameState(content, synced.content);
    if (isAsSynced || !isAsSaid(operation, content)) {
      this.parts.onOutcomes([{ outcome: 'read', entry }]);
      return;
    }
    const group = [readyItem(operation, operation.again?.content ?? content, entry)];
    const left = this.#leaving.get(contentKey(blocks))?.shift();
    if (left !== undefined && this.#deletions.delete(left))
      group.push(readyItem(left, { kind: 'deletion' }, undefined));
    this.commits.add(group);
  }
}

/** Whether a file of this content has what was said before, where this says it again. */
function isAsSaid({ again, isPast }: CommitItem, content: ItemContent): boolean {
  if (again === undefined) return true;
  return isPast === true ? haveSameBytes(content, again.content) : sameState(content, again.content);
}

function readyItem(operation: CommitItem, content: ItemContent, entry: ReadyItem['entry']): ReadyItem {
  const { version, ...state } = operation.offer;
  return { operation, item: itemOf(operation.path, version, [{ ...state, content }]), entry };
}

function blocksOf(item: Item | undefined): Blocklist | undefined {
  return item?.content.kind === 'file' ? item.content.blocks : undefined;
}

function contentKey({ hashes }: Blocklist): string {
  return asBuffer(hashes).toString('latin1');
}
