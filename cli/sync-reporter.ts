import type {
  SyncConflict,
  SyncMode,
  SyncObserver,
  SyncProblem,
  SyncProgress,
  SyncSummary,
} from '../client/progress.js';
import type { Clock } from '../common/clock.js';
import { RateMeter } from './output/rate-meter.js';
import { formatProgress, formatRound, formatSummary, modeNames, NOTHING_DONE } from './output/sync-text.js';
import { printable } from './output/table.js';
import type { Terminal } from './output/terminal.js';

/**
 * Tells what a sync does. Events under `--json`: `progress`, `problem`, `conflict`, `waiting` as the client reports them;
 * `synced` whenever both sides are equal, and `finished` at the end, both with `summary`: all that was done since the
 * start.
 */
export class SyncReporter implements SyncObserver {
  /** Of the work that goes on: waiting and looking do not count. */
  #rate = new RateMeter();
  readonly #startedAtMs: number;
  #reported = NOTHING_DONE;
  #latest: (() => SyncSummary) | undefined;
  #isQuiet = false;
  #mode: SyncMode = 'online';
  #waitsFor: string | undefined;

  constructor(
    private readonly terminal: Terminal,
    private readonly clock: Clock,
  ) {
    this.#startedAtMs = clock.monotonicMs();
  }

  /** The sync is up; `summary` tells what it has done so far. */
  started(summary: () => SyncSummary): void {
    this.#latest = summary;
    if (this.#isQuiet) this.#synced();
  }

  progress(progress: SyncProgress): void {
    if (progress.phase === 'syncing') this.#rate.record(progress.bytesDone, this.clock.monotonicMs());
    else this.#rate = new RateMeter();
    this.terminal.event({ event: 'progress', ...progress });
    this.#connected(progress.mode);
    this.terminal.progress((columns) => formatProgress(progress, this.#rate.perSecond, columns));
    this.#isQuiet = progress.phase === 'quiet';
    if (this.#isQuiet) this.#synced();
  }

  problem({ name, problem, isSynced }: SyncProblem): void {
    this.terminal.event({ event: 'problem', name, problem, isSynced: isSynced === true });
    // What concerns the whole folder leaves nothing as it is.
    const what =
      name === '.' ? '' : `${isSynced === true ? 'synced all the same' : 'left as it is'}: ${printable(name)}: `;
    this.terminal.note(`${what}${printable(problem)}`);
  }

  conflict({ path, keptAs, isOwn }: SyncConflict): void {
    this.terminal.event({ event: 'conflict', path, keptAs, isOwn });
    const whose = `what ${isOwn ? 'this' : 'another'} device had made of it`;
    this.terminal.note(`changed on both sides: ${printable(path)}; ${whose} is kept as ${printable(keptAs)}`);
  }

  waiting(reason: string, retryInMs: number): void {
    this.terminal.event({ event: 'waiting', reason, retryInMs });
    // People need not hear the same at every attempt.
    if (reason !== this.#waitsFor) this.terminal.note(`waiting: ${reason}; attempts go on`);
    this.#waitsFor = reason;
  }

  /** The sync has ended. */
  finished(summary: SyncSummary): void {
    const durationMs = Math.round(this.clock.monotonicMs() - this.#startedAtMs);
    this.terminal.event({ event: 'finished', durationMs, summary }, formatSummary(summary, durationMs));
  }

  #connected(mode: SyncMode): void {
    if (mode === this.#mode) return;
    this.#mode = mode;
    this.terminal.note(mode === 'online' ? 'metadata is back' : `${modeNames[mode]}; changes go on and are kept`);
  }

  #synced(): void {
    if (this.#latest === undefined) return;
    const summary = this.#latest();
    this.#waitsFor = undefined;
    this.terminal.event({ event: 'synced', summary }, formatRound(this.#reported, summary));
    this.#reported = summary;
  }
}
