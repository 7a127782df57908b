import type { Clock } from '../../common/clock.js';
import { clientLimits } from '../../common/limits.js';
import type { SyncConflict, SyncObserver, SyncPhase, SyncProblem } from '../progress.js';
import type { SyncTally } from '../tally.js';

/** Tells the observer what happens, no more often than it wants to hear, and each problem once. */
export class ProgressReporter {
  readonly #problems = new Map<string, string>();
  #phase: SyncPhase | undefined;
  #lastMs = -Infinity;

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

  /** Something moved on. */
  tick(): void {
    if (this.clock.monotonicMs() - this.#lastMs >= clientLimits.progressIntervalMs) this.#tell();
  }

  waiting(reason: string, retryInMs: number): void {
    this.phase('waiting');
    this.observer.waiting(reason, Math.round(retryInMs));
  }

  problem(problem: SyncProblem): void {
    if (this.#problems.get(problem.name) === problem.problem) return;
    if (this.#problems.size >= clientLimits.problemsRemembered) this.#problems.clear();
    this.#problems.set(problem.name, problem.problem);
    this.tally.add('problems');
    this.observer.problem(problem);
  }

  conflict(conflict: SyncConflict): void {
    this.observer.conflict(conflict);
  }

  #tell(): void {
    this.#lastMs = this.clock.monotonicMs();
    this.observer.progress({ phase: this.#phase ?? 'connecting', ...this.tally.work });
  }
}
