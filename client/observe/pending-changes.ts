import { clientLimits } from '../../common/limits.js';
import type { Clock } from '../../common/clock.js';

/** Where the folder may have changed. */
export type ChangeHint =
  /** At these paths, relative to the root as the disk spells them. */
  | { readonly kind: 'paths'; readonly diskPaths: ReadonlySet<string> }
  /** Anywhere: only a full scan can tell. */
  | { readonly kind: 'everything'; readonly because: string };

/** Changes that have been noticed and not yet been told, and when they will have settled. */
export class PendingChanges {
  #diskPaths = new Set<string>();
  #everythingBecause: string | undefined;
  #firstMs = 0;
  #lastMs: number | undefined;

  constructor(private readonly clock: Clock) {}

  /** A change at a path relative to the root; at the root itself, or at too many paths, it is one of everything. */
  add(diskPath: string): void {
    this.#touch();
    if (this.#everythingBecause !== undefined) return;
    this.#diskPaths.add(diskPath);
    if (diskPath === '') this.addEverything('the folder itself changed');
    else if (this.#diskPaths.size > clientLimits.watchedPaths) this.addEverything('very much changed at once');
  }

  addEverything(because: string): void {
    this.#touch();
    this.#everythingBecause = because;
    this.#diskPaths = new Set();
  }

  /** Milliseconds until the changes have settled, none or less where they have; undefined where there are none. */
  settledInMs(): number | undefined {
    if (this.#lastMs === undefined) return undefined;
    const settledMs = Math.min(this.#lastMs + clientLimits.settleMs, this.#firstMs + clientLimits.settleMaxMs);
    return settledMs - this.clock.monotonicMs();
  }

  /** What has changed since the last call; undefined where nothing has. */
  take(): ChangeHint | undefined {
    if (this.#lastMs === undefined) return undefined;
    const hint: ChangeHint =
      this.#everythingBecause === undefined
        ? { kind: 'paths', diskPaths: this.#diskPaths }
        : { kind: 'everything', because: this.#everythingBecause };
    this.#diskPaths = new Set();
    this.#everythingBecause = undefined;
    this.#lastMs = undefined;
    return hint;
  }

  #touch(): void {
    const nowMs = this.clock.monotonicMs();
    if (this.#lastMs === undefined) this.#firstMs = nowMs;
    this.#lastMs = nowMs;
  }
}
