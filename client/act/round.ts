import { DrystoneError, toDrystoneError } from '../../common/errors.js';
import { conflictsOf, isSettledBy } from '../../common/feed/conflicts.js';
import type { Item, ItemPath } from '../../common/feed/item.js';
import { coversAll } from '../../common/feed/version.js';
import type { DeviceId } from '../../common/ids.js';
import type { Operation, Settle } from '../plan/operation.js';
import type { SyncConflict, SyncProblem } from '../progress.js';
import type { StateWriter } from '../state/state-writer.js';
import type { SyncTally } from '../tally.js';
import { changeFolder, changesOf, isFolderOperation, type FolderOperation } from './change-folder-operations.js';
import type { Disk, DiskOutcome } from './disk/disk-task.js';
import type { FetchOutcome } from './download/fetch-files.js';
import type { FolderPlaces } from './folder-places.js';
import { changesToTell, READ_ONLY } from './read-only.js';
import type { Transfers } from './transfers.js';
import { declinedChanges, copiedChanges, settledChanges, takenChanges } from './upload/outcome-changes.js';
import type { UploadOutcome } from './upload/pending-item.js';
import type { UploadOperation } from './upload/upload.js';

export interface RoundParts {
  /** The device that acts. */
  readonly device: DeviceId;
  readonly disk: Disk;
  readonly transfers: Transfers;
  readonly writer: StateWriter;
  readonly tally: SyncTally;
  readonly onConflict: (conflict: SyncConflict) => void;
  readonly onProblem: (problem: SyncProblem) => void;
}

/** What a round leaves to be done. */
export interface RoundResult {
  /** About these the trees say something new: plan them again. */
  readonly again: ReadonlySet<ItemPath>;
  /** Here the folder is not as it was thought to be: look at it again. */
  readonly lookAgain: ReadonlySet<ItemPath>;
  /** Nothing more can be done about these as things are; a problem was reported, for each or for a directory above it. */
  readonly refused: ReadonlySet<ItemPath>;
  /** These failed for a reason that may pass: try again later. */
  readonly later: ReadonlySet<ItemPath>;
  /** Why, for the first of them. */
  readonly failure: DrystoneError | undefined;
  /** Metadata does not let this account change the namespace. */
  readonly isReadOnly: boolean;
}

/**
 * Carries out a plan. Every operation that is done is in the trees when the round ends, its synced tree moved after
 * everything it stands for was durable; every other one is in one of the result's sets. Raises what `signal` aborts with,
 * and errors of the state.
 */
export async function carryOut(
  operations: readonly Operation[],
  places: FolderPlaces,
  parts: RoundParts,
  signal: AbortSignal,
): Promise<RoundResult> {
  const round = new Round(parts, operations);
  await changeFolder(operations.filter(isFolderOperation), parts.disk, places, (operation, outcome) =>
    round.folderChanged(operation, outcome),
  );
  const fetches = operations.filter((operation) => operation.kind === 'fetch-file');
  const reads = operations.filter((operation) => operation.kind === 'read-file');
  const uploads = operations.filter(isUpload);
  const travels: Promise<void>[] = [];
  if (fetches.length > 0) {
    travels.push(parts.transfers.fetch(fetches, places, (outcome) => round.fetched(outcome), signal));
  }
  const onOutcomes = (outcomes: readonly UploadOutcome[]): void => outcomes.forEach((one) => round.uploaded(one));
  if (reads.length > 0) travels.push(parts.transfers.read(reads, places, onOutcomes, signal));
  if (uploads.length > 0) travels.push(parts.transfers.upload(uploads, places, onOutcomes, signal));
  for (const travel of await Promise.allSettled(travels)) {
    if (travel.status === 'rejected') round.fail(toDrystoneError(travel.reason));
  }
  await parts.writer.settled();
  signal.throwIfAborted();
  return round.result();
}

function isUpload(operation: Operation): operation is UploadOperation {
  return operation.kind === 'commit-item' || operation.kind === 'settle';
}

/** The books of one round. */
class Round {
  /** What has had no outcome yet. */
  readonly #open = new Map<ItemPath, Operation>();
  readonly #again = new Set<ItemPath>();
  readonly #lookAgain = new Set<ItemPath>();
  readonly #refused = new Set<ItemPath>();
  readonly #later = new Set<ItemPath>();
  readonly #copiesTaken = new Map<Settle, number>();
  #failure: DrystoneError | undefined;
  #isReadOnly = false;

  constructor(
    private readonly parts: RoundParts,
    operations: readonly Operation[],
  ) {
    for (const operation of operations) {
      this.#open.set(operation.path, operation);
      if (operation.kind !== 'adopt') continue;
      parts.writer.add({ synced: [[operation.path, operation.item]] });
      this.#open.delete(operation.path);
    }
  }

  folderChanged(operation: FolderOperation, outcome: DiskOutcome): void {
    const { path } = operation;
    if (outcome.outcome !== 'done') {
      this.#refusal(path, outcome);
      return;
    }
    this.#close(path);
    const { entry } = outcome;
    this.parts.writer.add(changesOf(operation, entry?.kind === 'file' ? { ...entry, blocks: undefined } : entry));
    if (operation.kind === 'keep-conflict') {
      this.#lookAgain.add(path).add(operation.keptAs);
      this.#tellConflict(path, operation.keptAs, true);
    } else {
      this.parts.tally.add('itemsApplied');
      this.#again.add(path);
    }
    if (operation.kind === 'move') {
      this.#again.add(operation.from);
      this.parts.tally.add('filesMoved');
    }
  }

  fetched(outcome: FetchOutcome): void {
    const { path } = outcome.operation;
    if (outcome.outcome === 'fetched') {
      this.#close(path);
      this.parts.writer.add({ local: [[path, outcome.entry]], synced: [[path, outcome.operation.item]] });
      this.parts.tally.add('itemsApplied');
      this.parts.tally.add('filesFetched');
    } else if (outcome.outcome === 'unavailable') {
      this.#postpone(path, outcome.error);
    } else {
      this.#refusal(path, outcome);
    }
  }

  uploaded(outcome: UploadOutcome): void {
    switch (outcome.outcome) {
      case 'committed':
        this.#committed(outcome);
        return;
      case 'declined':
        this.#declined(outcome);
        return;
      case 'read':
        this.#close(outcome.entry.path);
        this.parts.writer.add({ local: [[outcome.entry.path, outcome.entry]] });
        this.#again.add(outcome.entry.path);
        return;
      case 'changed':
      case 'refused':
        this.#refusal(outcome.path, outcome);
        return;
      case 'missing':
        this.#missing(outcome);
    }
  }

  /** A transfer ended early: what it had not told of failed with it, or is refused where this account only reads. */
  fail(error: DrystoneError): void {
    if (error.code !== 'PERMISSION_DENIED' || error.reason !== 'ROLE_INSUFFICIENT') {
      this.#failure ??= error;
      return;
    }
    this.#isReadOnly = true;
    const open = [...this.#open.values()];
    for (const { kind, path } of open) {
      if (kind === 'commit-item') this.#leave(path, this.#refused);
      else if (kind === 'settle') this.#leaveToOthers(path);
    }
    for (const name of changesToTell(open)) this.parts.onProblem({ name, problem: READ_ONLY });
  }

  result(): RoundResult {
    for (const path of [...this.#open.keys()]) this.#leave(path, this.#later);
    if (this.#later.size > 0) this.#failure ??= new DrystoneError('ABORTED', 'INTERNAL', 'work was left over');
    return {
      again: this.#again,
      lookAgain: this.#lookAgain,
      refused: this.#refused,
      later: this.#later,
      failure: this.#failure,
      isReadOnly: this.#isReadOnly,
    };
  }

  #committed({ operation, item, held, isProvisional }: Extract<UploadOutcome, { outcome: 'committed' }>): void {
    const { path } = item;
    if (operation.kind === 'settle') {
      if (path === operation.path) {
        this.parts.writer.add(settledChanges(held, isProvisional));
        this.#settled(operation, item, held);
      } else {
        this.parts.writer.add(copiedChanges(item, held, isProvisional, this.parts.device));
        this.#again.add(path);
        this.#copiesTaken.set(operation, (this.#copiesTaken.get(operation) ?? 0) + 1);
        if (!operation.known.includes(path))
          this.#tellConflict(operation.path, path, item.author === this.parts.device);
      }
      return;
    }
    this.#close(path);
    if (operation.isProvisional !== true) this.parts.tally.add('itemsCommitted');
    this.parts.writer.add(takenChanges(operation, item, held, isProvisional));
    // Beside it there may be what this folder has heard of, and does not have, because its own change came first.
    this.#again.add(path);
  }

  #declined({ operation, item, held }: Extract<UploadOutcome, { outcome: 'declined' }>): void {
    const { path } = item;
    if (operation.kind === 'commit-item') {
      this.parts.writer.add(declinedChanges(operation, item, held));
      this.#close(path);
    } else if (held !== undefined) {
      this.parts.writer.add({ remote: [held] });
    }
    if (operation.kind === 'settle' && path === operation.path) this.#settled(operation, item, held);
    else this.#again.add(path);
  }

  /**
   * Conflicts were to be settled. Whoever settles what is settled already is told so; what is not, or is where not all of it
   * has been heard of yet, must not be tried over and over.
   */
  #settled(operation: Settle, item: Item, held: Item | undefined): void {
    const { path, version } = item;
    const areCopiesThere = (this.#copiesTaken.get(operation) ?? 0) === operation.items.length - 1;
    const isOver = held !== undefined && areCopiesThere && isSettledBy(held, item, operation.alike);
    // What came between, and is in no side of the conflict, the namespace need not hear of.
    if (isOver) this.parts.writer.add({ remote: [item] });
    if (isOver || (held !== undefined && coversAll(held.version, version) && conflictsOf(held).length === 0)) {
      this.#close(path);
      this.#again.add(path);
    } else {
      const message = `${path}: the namespace has not heard of all sides of its conflict yet`;
      this.#postpone(path, new DrystoneError('ABORTED', 'CONFLICT_UNSETTLED', message));
    }
  }

  #missing({ operation }: Extract<UploadOutcome, { outcome: 'missing' }>): void {
    const { kind, path } = operation;
    if (kind === 'settle') {
      const message = `${path}: no agent holds all blocks of its conflicting versions`;
      this.#postpone(path, new DrystoneError('UNAVAILABLE', 'BLOCKS_UNAVAILABLE', message));
    } else {
      this.#open.delete(path);
      this.#again.add(path);
    }
  }

  /** Conflicts are settled by those who may change the namespace; this folder goes on without. */
  #leaveToOthers(path: ItemPath): void {
    this.#open.delete(path);
    this.#again.add(path);
  }

  #tellConflict(path: ItemPath, keptAs: ItemPath, isOwn: boolean): void {
    this.parts.tally.add('conflicts');
    this.parts.onConflict({ path, keptAs, isOwn });
  }

  #refusal(
    path: ItemPath,
    outcome: { outcome: 'changed' } | { outcome: 'refused' | 'postponed'; problem: string },
  ): void {
    if (outcome.outcome === 'changed') {
      this.#leave(path, this.#lookAgain);
    } else if (outcome.outcome === 'refused') {
      this.#leave(path, this.#refused);
      this.parts.onProblem({ name: path, problem: outcome.problem });
    } else {
      this.#postpone(path, new DrystoneError('RESOURCE_EXHAUSTED', 'DISK_FULL', `${path}: ${outcome.problem}`));
    }
  }

  #postpone(path: ItemPath, error: DrystoneError): void {
    this.#leave(path, this.#later);
    this.#failure ??= error;
  }

  /** It is not done. What was to become of the file that was to move was decided along with the move: that waits as well. */
  #leave(path: ItemPath, paths: Set<ItemPath>): void {
    paths.add(path);
    const operation = this.#open.get(path);
    if (operation?.kind === 'move') paths.add(operation.from);
    this.#open.delete(path);
  }

  #close(path: ItemPath): void {
    this.#open.delete(path);
    this.parts.tally.work.itemsDone++;
  }
}
