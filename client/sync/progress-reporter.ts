import type { Clock } from '../../common/clock.js';
import { clientLimits } from '../../common/limits.js';
import type { SyncConflict, SyncMode, SyncObserver, SyncPhase, SyncProblem } from '../progress.js';
import type { SyncTally } from '../tally.js';

/** Tells the observer what happens, how far work has come while it goes on, and each problem once. */
export class ProgressReporter {
  readonly #problems = new Map<string, string>();
  #phase: SyncPhase | undefined;

  constructor(
    private readonly observer: SyncObserver,
    private readonly tally: SyncTally,
    private readonly clock: Clock,
  ) {}

  phase(phase: SyncPhase): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#tell();
  }

  /** How many items metadata is not known to have, though an agent may, or peers. */
  provisional(count: number): void {
    if (count === this.tally.itemsProvisional) return;
    this.tally.itemsProvisional = count;
    this.#tell();
  }

  /** How the sync is connected from now on. */
  mode(mode: SyncMode): void {
    if (mode === this.tally.mode) return;
    this.tally.mode = mode;
    this.#tell();
  }

  /**
   * The result of `work`. While it goes on, the observer is told how far it has come every
   * `clientLimits.progressIntervalMs`.
   */
  async during<T>(work: Promise<T>): Promise<T> {
    const ended = new AbortController();
    const [worked, told] = await Promise.allSettled([work.finally(() => ended.abort()), this.#tellUntil(ended.signal)]);
    if (worked.status === 'rejected') throw worked.reason;
    if (told.status === 'rejected') throw told.reason;
    return worked.value;
  }

  waiting(reason: string, retryInMs: number): void {
    this.phase('waiting');
    this.observer.waiting(reason, Math.round(retryInMs));
  }

  problem(problem: SyncProblem): void {
    if (this.#problems.get(problem.name) === problem.problem) return;
    if (this.#problems.size >= clientLimits.problemsRemembered) this.#problems.clear();
    this.#problems.set(problem.name, problem.problem);
    if (problem.isSynced !== true) this.tally.add('problems');
    this.observer.problem(problem);
  }

  conflict(conflict: SyncConflict): void {
    this.observer.conflict(conflict);
  }

  async #tellUntil(ended: AbortSignal): Promise<void> {
    for (;;) {
      await this.clock.sleep(clientLimits.progressIntervalMs, ended).catch(() => undefined);
      if (ended.aborted) return;
      this.#tell();
    }
  }

  #tell(): void {
    const { mode, itemsProvisional, work } = this.tally;
    this.observer.progress({ phase: this.#phase ?? 'connecting', mode, ...work, itemsProvisional });
  }
}
