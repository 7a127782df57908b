import { toDrystoneError, type DrystoneError } from '../../../common/errors.js';
import { mapAhead } from '../../../common/concurrency/map-ahead.js';
import type { ItemPath } from '../../../common/feed/item.js';
import { chunking, clientLimits } from '../../../common/limits.js';
import type { CutBlock, Cutter, CutRequest } from '../../observe/cutter.js';
import type { PendingFile, UploadOutcome } from './pending-item.js';

export interface CuttingParts {
  readonly cutter: Cutter;
  /** Where a path lies on this disk. */
  readonly absolutePath: (path: ItemPath) => string;
  /** Takes a block that was added to its file; cutting waits for it. */
  readonly take: (block: CutBlock, pending: PendingFile, signal: AbortSignal) => Promise<void>;
  readonly onOutcomes: (outcomes: readonly UploadOutcome[]) => void;
}

/** Files that are cut in one go: one large, or several small. */
type CutGroup = readonly PendingFile[];

/** Cuts files, several groups at a time, small ones many in a task, and hands their blocks on as they come. */
export async function cutFiles(files: readonly PendingFile[], parts: CuttingParts, signal: AbortSignal): Promise<void> {
  const cutOne = (group: CutGroup): Promise<void> => {
    const [first] = group;
    if (first === undefined) return Promise.resolve();
    return isSmall(first) ? cutSmall(group, parts, signal) : cutLarge(first, parts, signal);
  };
  const groups = mapAhead(groupsOf(files, signal), clientLimits.cutGroupsAhead, cutOne);
  while ((await groups.next()).done !== true);
}

async function* groupsOf(
  files: readonly PendingFile[],
  signal: AbortSignal,
): AsyncGenerator<CutGroup, void, undefined> {
  let group: PendingFile[] = [];
  let bytes = 0;
  for (const file of files) {
    signal.throwIfAborted();
    const { sizeBytes } = file.file.stamp;
    const isFull = group.length >= clientLimits.cutTaskFiles || bytes + sizeBytes > clientLimits.cutTaskBytes;
    if (group.length > 0 && (isFull || !isSmall(file))) {
      yield group;
      group = [];
      bytes = 0;
    }
    if (isSmall(file)) {
      group.push(file);
      bytes += sizeBytes;
    } else {
      yield [file];
    }
  }
  if (group.length > 0) yield group;
}

function isSmall({ file }: PendingFile): boolean {
  return file.stamp.sizeBytes <= chunking.minBytes;
}

async function cutLarge(pending: PendingFile, parts: CuttingParts, signal: AbortSignal): Promise<void> {
  try {
    for await (const block of parts.cutter.cutFile(requestOf(pending, parts), signal))
      await handOn(block, pending, parts, signal);
    pending.finishCut();
  } catch (thrown) {
    pending.abandon();
    const outcome = outcomeOfRefusal(pending.file.path, toDrystoneError(thrown));
    if (outcome === undefined) throw thrown;
    parts.onOutcomes([outcome]);
  }
}

async function cutSmall(group: CutGroup, parts: CuttingParts, signal: AbortSignal): Promise<void> {
  const cuts = await parts.cutter.cutSmallFiles(group.map((file) => requestOf(file, parts)));
  const refusals: UploadOutcome[] = [];
  for (const [index, pending] of group.entries()) {
    const cut = cuts[index];
    const { path } = pending.file;
    if (cut?.outcome === 'cut') {
      if (cut.block !== undefined) await handOn(cut.block, pending, parts, signal);
      pending.finishCut();
    } else if (cut?.outcome === 'unreadable') {
      refusals.push({ outcome: 'refused', path, problem: cut.message });
    } else {
      refusals.push({ outcome: 'changed', path });
    }
  }
  if (refusals.length > 0) parts.onOutcomes(refusals);
}

async function handOn(block: CutBlock, pending: PendingFile, parts: CuttingParts, signal: AbortSignal): Promise<void> {
  pending.addBlock(block);
  await parts.take(block, pending, signal);
}

function requestOf({ file, known }: PendingFile, { absolutePath }: CuttingParts): CutRequest {
  return { absolutePath: absolutePath(file.path), stamp: file.stamp, known };
}

/** What the cutter's refusal means for a file; undefined for an error that is not about the file. */
function outcomeOfRefusal(path: ItemPath, error: DrystoneError): UploadOutcome | undefined {
  if (error.reason === 'FILE_UNSTABLE') return { outcome: 'changed', path };
  if (error.reason === 'FILE_UNREADABLE') return { outcome: 'refused', path, problem: error.message };
  return undefined;
}
