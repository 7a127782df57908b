import type { Clock } from '../../common/clock.js';
import { ChangeSignal } from '../../common/concurrency/change-signal.js';
import type { DrystoneError } from '../../common/errors.js';
import type { LastWord } from '../../common/identity/offline-grace.js';
import { clientLimits } from '../../common/limits.js';
import { sleepUnless } from '../../common/concurrency/sleep-unless.js';

/**
 * Whether metadata can be reached, as calls to it tell: it is away once every call has failed for
 * `clientLimits.metadataAwayMs`, and back with the first that succeeds.
 */
export class MetadataReach implements LastWord {
  #failingSinceMs: number | undefined;
  /** The same by the calendar. */
  #lastHeardAtMs: number | undefined;
  readonly #news = new ChangeSignal();
  #back = new AbortController();

  constructor(private readonly clock: Clock) {}

  get isAway(): boolean {
    return this.#leftMs <= 0;
  }

  /** Until when it could be heard: now, unless calls fail; by the calendar, in milliseconds since 1970 UTC. */
  get atMs(): number {
    return this.#lastHeardAtMs ?? this.clock.nowMs();
  }

  /** It has answered. */
  answered(): void {
    if (this.#failingSinceMs === undefined) return;
    this.#failingSinceMs = undefined;
    this.#lastHeardAtMs = undefined;
    this.#back.abort();
    this.#back = new AbortController();
    this.#news.notify();
  }

  /** A call to it has failed. What it refuses it has answered, and that it has too much to do. */
  failed({ code }: DrystoneError): void {
    if (code !== 'UNAVAILABLE' && code !== 'DEADLINE_EXCEEDED') return;
    if (this.#failingSinceMs !== undefined) return;
    this.#failingSinceMs = this.clock.monotonicMs();
    this.#lastHeardAtMs = this.clock.nowMs();
    this.#news.notify();
  }

  /** Resolves as soon as it is away, or `signal` aborts. */
  async untilAway(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.isAway) {
      const news = this.#news.arm(signal);
      await sleepUnless(news, this.#leftMs, this.clock);
    }
  }

  /** Aborts when it is back. */
  get back(): AbortSignal {
    return this.#back.signal;
  }

  /** How long it may still fail before it is away. */
  get #leftMs(): number {
    if (this.#failingSinceMs === undefined) return Infinity;
    return this.#failingSinceMs + clientLimits.metadataAwayMs - this.clock.monotonicMs();
  }
}
