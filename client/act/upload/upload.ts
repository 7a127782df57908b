import { asBuffer } from '../../../common/block-hash.js';
import { ByteBudget } from '../../../common/concurrency/byte-budget.js';
import type { Blocklist, Item, ItemContent, ItemPath } from '../../../common/feed/item.js';
import type { Cursor, DeviceId, NamespaceId } from '../../../common/ids.js';
import { clientLimits } from '../../../common/limits.js';
import type { MetadataCalls } from '../../connection/metadata-calls.js';
import type { CutBlock, Cutter } from '../../observe/cutter.js';
import { readBlock } from '../../observe/read-block.js';
import { sameState } from '../../plan/difference.js';
import type { CommitItem, ReadFile } from '../../plan/operation.js';
import { contentOfFile, contentOfLocal, type LocalFile } from '../../state/local-entry.js';
import type { SyncTally } from '../../tally.js';
import { runTogether } from '../run-together.js';
import { BlockSender } from './block-sender.js';
import { CommitSender } from './commit-sender.js';
import { cutFiles, type FileToCut } from './file-cutting.js';
import { PendingFile, type ReadyItem, type UploadOutcome } from './pending-item.js';
import type { Target } from './target.js';

export interface UploadParts {
  readonly namespaceId: NamespaceId;
  readonly device: DeviceId;
  readonly metadata: MetadataCalls;
  readonly chooseTarget: (sample: Uint8Array, signal: AbortSignal) => Promise<Target>;
  readonly cutter: Cutter;
  readonly tally: SyncTally;
  /** Where a path lies on this disk. */
  readonly absolutePath: (path: ItemPath) => string;
  /** Told of operations as they are settled. */
  readonly onOutcomes: (outcomes: readonly UploadOutcome[]) => void;
  /** The feed's last cursor after a commit. */
  readonly onCursor: (cursor: Cursor) => void;
}

/**
 * Brings states of the folder into the namespace: files are cut, their blocks asked about, the missing ones put to the
 * target, the items committed, all at the same time and through bounded queues, so that a file's first blocks travel
 * while its last are being read. Receipts are taken to metadata as they come: after a crash nothing that is stored travels
 * again.
 *
 * Items enter the feed in the order of `operations` as far as their blocks allow, deletions after everything else, save
 * for the deletion of a file whose content comes back under another name: the two enter together, so that a reader can
 * tell a rename.
 *
 * Raises the errors of metadata and of the target; operations whose outcome was not told by then are as they were.
 */
export async function upload(
  operations: readonly (CommitItem | ReadFile)[],
  parts: UploadParts,
  signal: AbortSignal,
): Promise<void> {
  const { namespaceId, metadata, chooseTarget, tally, absolutePath, onOutcomes, onCursor } = parts;
  const budget = new ByteBudget(clientLimits.uploadBytesInFlight);
  const commits = new CommitSender({
    namespaceId,
    commit: metadata.commit,
    onOutcomes,
    onCursor,
    onRecorded: (receipts) => {
      for (const { hashes } of receipts) sender.recorded(hashes);
    },
  });
  const sender = new BlockSender({
    namespaceId,
    chooseTarget,
    presence: metadata.presence,
    budget,
    tally,
    onReceipt: (receipt) => commits.addReceipt(receipt),
  });
  const job = new UploadJob(operations, parts, commits);
  await runTogether(signal, [
    async (together) => {
      job.addWithoutContent();
      const send = (block: CutBlock, pending: PendingFile): Promise<void> => {
        const read = (): Promise<Buffer> => readBlock(absolutePath(pending.file.path), block);
        return sender.send({ ...block, read, onStored: () => pending.blockStored() });
      };
      await cutFiles(job.files(), { ...parts, budget, send }, together);
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
    private readonly operations: readonly (CommitItem | ReadFile)[],
    private readonly parts: UploadParts,
    private readonly commits: CommitSender,
  ) {}

  /** Commits what has no bytes of its own to be stored, and keeps deletions for later. */
  addWithoutContent(): void {
    for (const operation of this.operations) {
      if (operation.kind === 'read-file') continue;
      const { change } = operation;
      if (change.from === 'namespace') this.commits.add([this.#ready(operation, change.content)]);
      if (change.from === 'folder' && change.entry.kind !== 'file') {
        const content = contentOfLocal(change.entry);
        if (content !== undefined) this.commits.add([this.#ready(operation, content, change.entry)]);
      }
      if (change.from === 'deletion') this.#keepDeletion(operation, change.synced);
    }
  }

  /** The files to be cut, in the order of the operations. */
  files(): FileToCut[] {
    const files: FileToCut[] = [];
    for (const operation of this.operations) {
      const { parts } = this;
      if (operation.kind === 'read-file') {
        const { file } = operation;
        const onStored = (blocks: Blocklist): void =>
          parts.onOutcomes([{ outcome: 'read', entry: { ...file, blocks } }]);
        files.push({ pending: new PendingFile(file, undefined, onStored), isSent: false });
      } else if (operation.change.from === 'folder' && operation.change.entry.kind === 'file') {
        const { entry, synced } = operation.change;
        const onStored = (blocks: Blocklist): void => this.#fileStored(operation, entry, synced, blocks);
        files.push({ pending: new PendingFile(entry, blocksOf(synced), onStored), isSent: true });
      }
    }
    return files;
  }

  /** Commits the deletions that belong to no rename. */
  addDeletions(): void {
    for (const operation of this.#deletions) this.commits.add([this.#ready(operation, { kind: 'deletion' })]);
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
    if (synced !== undefined && sameState(content, synced.content)) {
      this.parts.onOutcomes([{ outcome: 'read', entry }]);
      return;
    }
    const group = [this.#ready(operation, content, entry)];
    const left = this.#leaving.get(contentKey(blocks))?.shift();
    if (left !== undefined && this.#deletions.delete(left)) group.push(this.#ready(left, { kind: 'deletion' }));
    this.commits.add(group);
  }

  #ready(operation: CommitItem, content: ItemContent, entry?: ReadyItem['entry']): ReadyItem {
    const { path, version } = operation;
    return { operation, item: { path, version, author: this.parts.device, content }, entry };
  }
}

function blocksOf(item: Item | undefined): Blocklist | undefined {
  return item?.content.kind === 'file' ? item.content.blocks : undefined;
}

function contentKey({ hashes }: Blocklist): string {
  return asBuffer(hashes).toString('latin1');
}
