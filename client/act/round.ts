import { DrystoneError, toDrystoneError } from '../../common/errors.js';
import type { ItemPath } from '../../common/feed/item.js';
import type { Operation, CommitItem, FetchFile, ReadFile } from '../plan/operation.js';
import type { SyncConflict, SyncProblem } from '../progress.js';
import type { StateWriter } from '../state/state-writer.js';
import type { SyncTally } from '../tally.js';
import { changeFolder, changesOf, isFolderOperation, type FolderOperation } from './change-folder-operations.js';
import type { Disk, DiskOutcome } from './disk/disk-task.js';
import type { FetchOutcome } from './download/fetch-files.js';
import type { FolderPlaces } from './folder-places.js';
import type { UploadOutcome } from './upload/pending-item.js';

/** What is said of a change that a reader of the namespace has made in the folder. */
const READ_ONLY = 'your account may only read this namespace: the change stays in this folder';

/** How content travels in a round. Each tells outcomes as they come, and raises what ended it early. */
export interface Transfers {
  upload(
    operations: readonly (CommitItem | ReadFile)[],
    places: FolderPlaces,
    onOutcomes: (outcomes: readonly UploadOutcome[]) => void,
    signal: AbortSignal,
  ): Promise<void>;
  fetch(
    operations: readonly FetchFile[],
    places: FolderPlaces,
    onOutcome: (outcome: FetchOutcome) => void,
    signal: AbortSignal,
  ): Promise<void>;
}

export interface RoundParts {
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
  /** Nothing more can be done about these as things are; a problem was reported for each. */
  readonly refused: ReadonlySet<ItemPath>;
  /** These failed for a reason that may pass: try again later. */
  readonly later: ReadonlySet<ItemPath>;
  /** Why, for the first of them. */
  readonly failure: DrystoneError | undefined;
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
  const uploads = operations.filter(({ kind }) => kind === 'commit-item' || kind === 'read-file') as (
    CommitItem | ReadFile
  )[];
  const travels: Promise<void>[] = [];
  if (fetches.length > 0) {
    travels.push(parts.transfers.fetch(fetches, places, (outcome) => round.fetched(outcome), signal));
  }
  if (uploads.length > 0) {
    const onOutcomes = (outcomes: readonly UploadOutcome[]): void => outcomes.forEach((one) => round.uploaded(one));
    travels.push(parts.transfers.upload(uploads, places, onOutcomes, signal));
  }
  for (const travel of await Promise.allSettled(travels)) {
    if (travel.status === 'rejected') round.fail(toDrystoneError(travel.reason));
  }
  await parts.writer.settled();
  signal.throwIfAborted();
  return round.result();
}

/** The books of one round. */
class Round {
  /** What has had no outcome yet. */
  readonly #open = new Map<ItemPath, Operation>();
  readonly #again = new Set<ItemPath>();
  readonly #lookAgain = new Set<ItemPath>();
  readonly #refused = new Set<ItemPath>();
  readonly #later = new Set<ItemPath>();
  #failure: DrystoneError | undefined;

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
      this.parts.tally.add('conflicts');
      this.parts.onConflict({ path, keptAs: operation.keptAs });
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
      case 'conflict': {
        const { entry, current, item } = outcome;
        this.#close(item.path);
        this.parts.writer.add({ remote: [current], local: entry === undefined ? [] : [[item.path, entry]] });
        this.#again.add(item.path);
        return;
      }
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
        this.#open.delete(outcome.path);
        this.#again.add(outcome.path);
    }
  }

  /** A transfer ended early: what it had not told of failed with it, or is refused where this account only reads. */
  fail(error: DrystoneError): void {
    // What an agent says follows from an access token, which may be older than our role.
    if (error.code !== 'PERMISSION_DENIED' || error.reason !== 'ROLE_INSUFFICIENT') {
      this.#failure ??= error;
      return;
    }
    for (const { kind, path } of [...this.#open.values()]) {
      if (kind === 'commit-item') this.#refusal(path, { outcome: 'refused', problem: READ_ONLY });
    }
  }

  result(): RoundResult {
    for (const path of this.#open.keys()) this.#later.add(path);
    this.#failure ??=
      this.#later.size === 0 ? undefined : new DrystoneError('ABORTED', 'INTERNAL', 'work was left over');
    return {
      again: this.#again,
      lookAgain: this.#lookAgain,
      refused: this.#refused,
      later: this.#later,
      failure: this.#failure,
    };
  }

  #committed({ operation, item, entry }: Extract<UploadOutcome, { outcome: 'committed' }>): void {
    const { path } = item;
    this.#close(path);
    this.parts.tally.add('itemsCommitted');
    if (operation.change.from === 'namespace') {
      this.parts.writer.add({ remote: [item] });
      this.#again.add(path);
    } else {
      const agreed = item.content.kind === 'deletion' ? undefined : item;
      const local = entry === undefined ? [] : [[path, entry] as const];
      this.parts.writer.add({ remote: [item], local, synced: [[path, agreed]] });
    }
  }

  #refusal(
    path: ItemPath,
    outcome: { outcome: 'changed' } | { outcome: 'refused' | 'postponed'; problem: string },
  ): void {
    this.#open.delete(path);
    if (outcome.outcome === 'changed') {
      this.#lookAgain.add(path);
    } else if (outcome.outcome === 'refused') {
      this.#refused.add(path);
      this.parts.onProblem({ name: path, problem: outcome.problem });
    } else {
      this.#postpone(path, new DrystoneError('RESOURCE_EXHAUSTED', 'DISK_FULL', `${path}: ${outcome.problem}`));
    }
  }

  #postpone(path: ItemPath, error: DrystoneError): void {
    this.#open.delete(path);
    this.#later.add(path);
    this.#failure ??= error;
  }

  #close(path: ItemPath): void {
    this.#open.delete(path);
    this.parts.tally.work.itemsDone++;
  }
}
