import { realpathSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { subscribe as subscribeToTree, type AsyncSubscription, type SubscribeCallback } from '@parcel/watcher';
import { anySignal } from '../../common/concurrency/any-signal.js';
import { ChangeSignal } from '../../common/concurrency/change-signal.js';
import { cancelled } from '../../common/errors.js';
import { clientLimits } from '../../common/limits.js';
import { hasUnannouncedDirectory } from './blind-spots.js';
import { STATE_DIRECTORY } from './ignore-rules.js';
import { inSlices } from './in-slices.js';
import { PendingChanges, type ChangeHint } from './pending-changes.js';
import { watchFailure } from './watch-failure.js';
import type { Clock } from '../../common/clock.js';

export interface WatchOptions {
  readonly root: string;
  readonly clock: Clock;
  /** Takes a sentence for people when changes can no longer be noticed at once, and when they can again. */
  readonly report: (message: string) => void;
  /** The system's watcher, unless a test brings its own. */
  readonly subscribe?: typeof subscribeToTree;
}

/**
 * Says where a folder may have changed. That is a hint: the system loses events when there are many and does not say so.
 * Therefore everything is hinted at every `clientLimits.fullScanIntervalMs`. A watcher that failed is started anew at once,
 * and everything hinted at: directories go while they are being looked at. Until it has been started, everything is hinted at
 * every `clientLimits.settleMaxMs`; where it cannot be (on Linux there is a limit for that), every
 * `clientLimits.unwatchedScanIntervalMs`, when it is tried again.
 *
 * On Linux the watcher does not see into directories that were not empty when they came, by a move or too fast, and it
 * takes those below a renamed one for what they were. When such a directory comes it is started anew.
 */
export class TreeWatch {
  readonly #changed = new ChangeSignal();
  readonly #pending: PendingChanges;
  readonly #root: string;
  readonly #closing = new AbortController();
  #subscription: AsyncSubscription | undefined;
  /** A watcher that is being ended: the next one would become one with it. */
  #ending: Promise<void> = Promise.resolve();
  #reportedUnwatched = false;
  /** Failures in a row, each soon after the one before it. */
  #failures = 0;
  #failedAtMs = Number.NEGATIVE_INFINITY;
  /** A watcher that could not be ended leaves behind what makes the next one overlook things. */
  #reliable = true;
  #lastEverythingMs: number;

  private constructor(private readonly options: WatchOptions) {
    this.#root = realpathSync(options.root);
    this.#pending = new PendingChanges(options.clock);
    this.#lastEverythingMs = options.clock.monotonicMs();
  }

  /** Watches from now on: a change after this has resolved is hinted at, so a scan that starts then misses nothing. */
  static async start(options: WatchOptions): Promise<TreeWatch> {
    const watch = new TreeWatch(options);
    await watch.#subscribe(watch.#closing.signal);
    return watch;
  }

  /** Whether changes are noticed as they happen. */
  get watching(): boolean {
    return this.#subscription !== undefined;
  }

  /**
   * The next hint, once the changes have settled: `clientLimits.settleMs` after the last or `settleMaxMs` after the first
   * of them. Changes after that are in the next hint. Raises CANCELLED when `signal` aborts. One call at a time.
   */
  async next(signal: AbortSignal): Promise<ChangeHint> {
    for (;;) {
      if (signal.aborted) throw cancelled('watching the folder');
      const waitMs = this.#pending.settledInMs() ?? this.#everythingInMs();
      if (waitMs <= 0) return this.#take(anySignal([signal, this.#closing.signal]));
      await this.#waitUpTo(waitMs, signal);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#unsubscribe();
  }

  #everythingInMs(): number {
    return this.#lastEverythingMs + this.#everythingEveryMs() - this.options.clock.monotonicMs();
  }

  #everythingEveryMs(): number {
    if (!this.watching && !this.#reportedUnwatched) return clientLimits.settleMaxMs;
    return this.watching && this.#reliable ? clientLimits.fullScanIntervalMs : clientLimits.unwatchedScanIntervalMs;
  }

  async #take(signal: AbortSignal): Promise<ChangeHint> {
    if (!this.watching) await this.#subscribe(signal);
    let hint = this.#pending.take() ?? { kind: 'everything', because: 'it is time for a full scan' };
    if (hint.kind === 'paths' && process.platform === 'linux') {
      const announced = hint.diskPaths;
      if (await inSlices(hasUnannouncedDirectory(this.#root, announced), this.options.clock, this.#closing.signal)) {
        await this.#unsubscribe();
        await this.#subscribe(signal);
        hint = { kind: 'everything', because: 'directories came that were not empty' };
      }
    }
    if (hint.kind === 'everything') this.#lastEverythingMs = this.options.clock.monotonicMs();
    return hint;
  }

  /** Until the time is over, `signal` aborts, or the first change after a quiet time comes. */
  async #waitUpTo(waitMs: number, signal: AbortSignal): Promise<void> {
    const waiting = new AbortController();
    const endWaiting = (): void => waiting.abort();
    signal.addEventListener('abort', endWaiting, { once: true });
    if (this.#pending.settledInMs() === undefined) void this.#changed.arm(waiting.signal).then(endWaiting);
    try {
      await this.options.clock.sleep(waitMs, waiting.signal);
    } catch (error) {
      if (!waiting.signal.aborted) throw error;
    } finally {
      signal.removeEventListener('abort', endWaiting);
      waiting.abort();
    }
  }

  /** Tries until there is a watcher, `signal` aborts, or it is not worth waiting for the next attempt. */
  async #subscribe(signal: AbortSignal): Promise<void> {
    const { report, subscribe = subscribeToTree } = this.options;
    const ignore = [join(this.#root, STATE_DIRECTORY)];
    await this.#ending;
    for (;;) {
      await this.#rest(signal);
      if (signal.aborted) return;
      try {
        this.#subscription = await subscribe(this.#root, this.#onEvents, { ignore });
        if (this.#reportedUnwatched) report('changes are watched again');
        this.#reportedUnwatched = false;
        return;
      } catch (error) {
        this.#noteFailure();
        const { cause, isLasting } = watchFailure(this.#root, (error as Error).message);
        if (isLasting || this.#failures >= clientLimits.watchFailuresUntold) this.#reportUnwatched(cause);
        else if (this.#failures < clientLimits.watchFailuresAwaited) continue;
        return;
      }
    }
  }

  #noteFailure(): void {
    const nowMs = this.options.clock.monotonicMs();
    const isInARow = nowMs - this.#failedAtMs < clientLimits.unwatchedScanIntervalMs;
    this.#failures = isInARow ? this.#failures + 1 : 1;
    this.#failedAtMs = nowMs;
  }

  /** The longer, the oftener it has failed in a row: each start is followed by a scan of everything. */
  async #rest(signal: AbortSignal): Promise<void> {
    if (this.#failures === 0) return;
    const { watchRetryMs, settleMaxMs } = clientLimits;
    const pauseMs = Math.min(watchRetryMs * 2 ** (this.#failures - 1), settleMaxMs);
    const leftMs = this.#failedAtMs + pauseMs - this.options.clock.monotonicMs();
    if (leftMs > 0) await this.options.clock.sleep(leftMs, signal).catch(() => undefined);
  }

  async #unsubscribe(): Promise<void> {
    const subscription = this.#subscription;
    this.#subscription = undefined;
    try {
      await subscription?.unsubscribe();
    } catch {
      this.#reliable = false;
    }
  }

  readonly #onEvents: SubscribeCallback = (error, events) => {
    if (error !== null) {
      this.#lose();
    } else {
      for (const { path } of events) this.#pending.add(this.#diskPath(path));
    }
    this.#changed.notify();
  };

  /** After an error nobody knows what else was lost. The next hint starts over. */
  #lose(): void {
    this.#ending = this.#unsubscribe();
    this.#noteFailure();
    this.#pending.addEverything('the watcher failed');
  }

  #reportUnwatched(cause: string): void {
    if (this.#reportedUnwatched) return;
    this.#reportedUnwatched = true;
    const seconds = clientLimits.unwatchedScanIntervalMs / 1000;
    this.options.report(
      `changes in ${this.options.root} cannot be watched and are looked for every ${seconds} seconds instead: ${cause}`,
    );
  }

  #diskPath(absolutePath: string): string {
    return relative(this.#root, absolutePath).split(sep).join('/');
  }
}
