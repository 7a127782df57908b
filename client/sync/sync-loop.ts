import { retryDelayMs } from '../../common/concurrency/retry.js';
import { sleepUnless } from '../../common/concurrency/sleep-unless.js';
import type { Clock } from '../../common/clock.js';
import { DrystoneError } from '../../common/errors.js';
import type { ItemPath } from '../../common/feed/item.js';
import type { DeviceId, ReplicaId } from '../../common/ids.js';
import { clientLimits, retryLimits } from '../../common/limits.js';
import type { Random } from '../../common/random.js';
import { FolderPlaces } from '../act/folder-places.js';
import { carryOut, type RoundParts, type RoundResult } from '../act/round.js';
import { diskPathOf } from '../observe/disk-paths.js';
import type { ScanResult } from '../observe/observation.js';
import type { TreeScanner } from '../observe/scan-tree.js';
import type { Operation } from '../plan/operation.js';
import { everyPath, plan } from '../plan/plan.js';
import type { ConflictRule } from '../plan/situation.js';
import type { TreeStore } from '../state/tree-store.js';
import { Agenda } from './agenda.js';
import type { Inbox } from './inbox.js';
import type { InHand } from './in-hand.js';
import { noteFetched } from './note-fetched.js';
import type { Owed } from './owed.js';
import type { ProgressReporter } from './progress-reporter.js';
import { isLeftAlone, opened, scanChanges } from './scan-changes.js';

export interface SyncLoopParts {
  readonly root: string;
  readonly device: DeviceId;
  readonly replica: ReplicaId;
  readonly clock: Clock;
  readonly random: Random;
  readonly store: TreeStore;
  readonly scanner: TreeScanner;
  readonly inbox: Inbox;
  readonly round: Omit<RoundParts, 'device' | 'onConflict' | 'onProblem'>;
  readonly reporter: ProgressReporter;
  readonly owed: Pick<Owed, 'isAwaited' | 'isDue' | 'said'>;
  readonly inHand: Pick<InHand, 'begin' | 'end' | 'forget'>;
  /** Whether there are peers alone, so that nobody takes what settles a conflict. */
  readonly doConflictsWait: () => boolean;
  /** Reads the feed of whoever takes changes now up to its end. */
  readonly catchUp: (signal: AbortSignal) => Promise<void>;
  /**
   * Told where the items of the folder lie, each time it was looked at. Before the first time no feed must be read: what the
   * folder holds is compared with what was known when the last sync of it ended.
   */
  readonly onPlaces: (places: FolderPlaces) => void;
  /** End when nothing is left to do. */
  readonly once: boolean;
}

/**
 * Observe, plan, act, and again, until nothing is left to do; then, unless it runs once, whenever something changes. One
 * round at a time: while operations are carried out nothing is scanned, so a scan never sees half of one.
 */
export class SyncLoop {
  readonly #agenda = new Agenda();
  /** What operations have touched since the last scan. */
  #touched = new Set<ItemPath>();
  #scan: ScanResult | undefined;
  /** Rounds in a row that left something to be tried later. */
  #failures = 0;
  #retryAtMs = Infinity;
  #isReader = false;
  /** Whether conflicts were left as they are since the last turn. */
  #areConflictsLeft = false;

  constructor(private readonly parts: SyncLoopParts) {}

  /** Runs until the work is done, or `signal` aborts; raises what cannot be mended by trying again. */
  async run(signal: AbortSignal): Promise<void> {
    const { inbox, reporter, once } = this.parts;
    reporter.phase('scanning');
    await this.#look(await this.parts.scanner.scanAll(signal), undefined, signal);
    reporter.phase('connecting');
    for (;;) {
      const news = inbox.arm(signal);
      signal.throwIfAborted();
      if (!inbox.isCaughtUp) {
        await news;
        continue;
      }
      await this.#takeNews(signal);
      if (this.#agenda.isDue) {
        await this.#advance(signal);
      } else if (this.#agenda.isLater || !inbox.hasEcho) {
        await this.#waitFor(news);
      } else {
        reporter.phase('quiet');
        if (once) return;
        await this.#waitFor(news);
      }
    }
  }

  /** Takes in what has come since the last call. */
  async #takeNews(signal: AbortSignal): Promise<void> {
    const { inbox, scanner, store, clock, reporter } = this.parts;
    reporter.provisional(store.provisionalCount);
    if (inbox.takeTurn()) this.#tryAgain();
    const hints = inbox.takeHints();
    if (hints.some(({ kind }) => kind === 'everything')) {
      await this.#look(await scanner.scanAll(signal), undefined, signal);
    } else {
      const diskPaths = hints.flatMap((hint) => (hint.kind === 'paths' ? [...hint.diskPaths] : []));
      const scan = this.#scan;
      if (scan !== undefined) for (const path of this.#agenda.takeLookAgain()) diskPaths.push(diskPathOf(scan, path));
      // The watcher may not have told of what operations did: not looked at, it would stand there as it was before them.
      if (scan !== undefined && diskPaths.length > 0) {
        for (const path of this.#touched) diskPaths.push(diskPathOf(scan, path));
      }
      if (diskPaths.length > 0) await this.#look(await scanner.scanPaths(diskPaths, signal), scan, signal);
    }
    this.#agenda.add(inbox.takeChangedPaths() ?? everyPath(store));
    if (clock.monotonicMs() >= this.#retryAtMs) {
      this.#retryAtMs = Infinity;
      this.#agenda.retryLater();
    }
  }

  /** What failed, or was refused, may succeed now, and what was waited for may be no more to come. */
  #tryAgain(): void {
    this.#failures = 0;
    this.#retryAtMs = Infinity;
    this.#agenda.retryLater();
    this.#agenda.retryRefused();
    this.#agenda.retryDeferred();
    if (!this.#areConflictsLeft) return;
    // What was left to others while this account could only read, or to wait while there were peers alone.
    this.#isReader = false;
    this.#areConflictsLeft = false;
    this.#agenda.add(everyPath(this.parts.store));
  }

  /** Takes in a scan; without an earlier one to compare with everything is planned anew. */
  async #look(scan: ScanResult, earlier: ScanResult | undefined, signal: AbortSignal): Promise<void> {
    const { store, reporter, round, root } = this.parts;
    const places = new FolderPlaces(root, scan);
    const news = opened(scan, earlier, store);
    const local = scanChanges(scan, earlier, [...this.#touched, ...news], store.local);
    if (this.#scan === undefined) {
      for (const path of await noteFetched(local, places, { store, ...round }, signal)) local.delete(path);
      await this.parts.inHand.forget();
    }
    if (local.size > 0) await store.write({ local });
    this.#scan = scan;
    this.parts.onPlaces(places);
    this.#touched = new Set();
    this.#agenda.add(news);
    this.#agenda.add(local.keys());
    if (earlier === undefined || local.size > 0) this.#agenda.retryRefused();
    for (const problem of scan.problems) reporter.problem(problem);
  }

  /** One plan, carried out. */
  async #advance(signal: AbortSignal): Promise<void> {
    const { store, device, replica, clock, root, inHand, reporter } = this.parts;
    const scan = this.#scan;
    if (scan === undefined) return;
    const conflicts = this.#conflictRule();
    if (conflicts !== 'settle') this.#areConflictsLeft = true;
    const { operations, deferred } = plan(store, this.#agenda.takeScope(), {
      device,
      replica,
      nowMs: clock.nowMs(),
      conflicts,
      isProvisionalDue: (path) => this.parts.owed.isDue(path),
      isRelayAwaited: this.parts.owed.isAwaited,
      leaveAlone: (path, kind) => isLeftAlone(scan, path, kind),
    });
    this.#agenda.defer(deferred);
    if (operations.length === 0) return;
    reporter.phase('syncing');
    const { tally } = this.parts.round;
    for (const operation of operations) {
      this.#touched.add(operation.path);
      if (operation.kind === 'move') this.#touched.add(operation.from);
      tally.work.itemsTotal += operation.kind === 'adopt' ? 0 : 1;
      tally.work.bytesTotal += bytesOf(operation);
    }
    const bytesBefore = tally.work.bytesDone;
    await inHand.begin(operations);
    const onProblem: RoundParts['onProblem'] = (problem) => reporter.problem(problem);
    const onConflict: RoundParts['onConflict'] = (conflict) => reporter.conflict(conflict);
    const round = { ...this.parts.round, device, onProblem, onConflict };
    const result = await reporter.during(carryOut(operations, new FolderPlaces(root, scan), round, signal));
    await inHand.end();
    const done = operations.filter(({ path }) => !isLeft(result, path));
    tally.work.itemsTotal = tally.work.itemsDone;
    // What was sent or fetched of something that is to be tried again will be counted when it is.
    tally.work.bytesDone = bytesBefore + done.reduce((sum, operation) => sum + bytesOf(operation), 0);
    tally.work.bytesTotal = tally.work.bytesDone;
    if (result.isReadOnly) this.#isReader = this.#areConflictsLeft = true;
    for (const operation of operations) {
      const isSaid = operation.kind === 'commit-item' && operation.isProvisional === true;
      if (isSaid && !result.later.has(operation.path)) this.parts.owed.said(operation.path);
    }
    if (done.length > 0) this.#agenda.retryDeferred();
    await this.#settle(result, signal);
  }

  #conflictRule(): ConflictRule {
    if (this.#isReader) return 'leave to others';
    return this.parts.doConflictsWait() ? 'wait' : 'settle';
  }

  async #settle(result: RoundResult, signal: AbortSignal): Promise<void> {
    const { clock, random, reporter, once, catchUp } = this.parts;
    const restless = this.#agenda.absorb(result);
    const [first] = restless;
    const message = `${first ?? ''} keeps changing while it is read`;
    const failure = result.failure ?? (first === undefined ? undefined : unstable(message));
    if (failure === undefined) {
      // A file that is still being tried is not done yet.
      if (result.lookAgain.size === 0) this.#failures = 0;
      return;
    }
    if (!isWorthRetrying(failure)) throw failure;
    this.#failures++;
    const isUnstable = failure.reason === 'FILE_UNSTABLE';
    if (once && this.#failures >= (isUnstable ? clientLimits.unstableFileRounds : retryLimits.attempts)) {
      if (!isUnstable) throw failure;
      for (const name of this.#agenda.dropLater()) reporter.problem({ name, problem: 'it keeps changing; sync again' });
      return;
    }
    const delayMs = retryDelayMs(this.#failures - 1, failure, random);
    this.#retryAtMs = clock.monotonicMs() + delayMs;
    reporter.waiting(failure.message, delayMs);
    // A push may have been accepted and its answer lost: the feed knows.
    await catchUp(signal).catch(() => signal.throwIfAborted());
  }

  #waitFor(news: Promise<void>): Promise<void> {
    // The signal ends the wait for news as well.
    return sleepUnless(news, this.#retryAtMs - this.parts.clock.monotonicMs(), this.parts.clock);
  }
}

function isLeft({ refused, later, lookAgain }: RoundResult, path: ItemPath): boolean {
  return refused.has(path) || later.has(path) || lookAgain.has(path);
}

function unstable(message: string): DrystoneError {
  return new DrystoneError('ABORTED', 'FILE_UNSTABLE', message);
}

function bytesOf(operation: Operation): number {
  if (operation.kind === 'fetch-file') return operation.item.content.sizeBytes;
  if (operation.kind !== 'commit-item' || operation.change.from !== 'folder') return 0;
  return operation.change.entry.kind === 'file' ? operation.change.entry.stamp.sizeBytes : 0;
}

/** Whether an error may pass by itself: besides those of the transport, what follows from an assignment on its way. */
function isWorthRetrying({ isTransient, code, reason }: DrystoneError): boolean {
  return isTransient || code === 'CANCELLED' || reason === 'AGENT_NOT_ASSIGNED' || reason === 'NAMESPACE_NOT_ASSIGNED';
}
