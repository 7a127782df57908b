import { ChangeSignal } from '../../common/concurrency/change-signal.js';
import type { ItemPath } from '../../common/feed/item.js';
import { CURSOR_START, type Cursor } from '../../common/ids.js';
import type { ChangeHint } from '../observe/pending-changes.js';

/** What has come in since the sync last looked, from the folder's watcher, the feed and metadata. */
export class Inbox {
  readonly #news = new ChangeSignal();
  #changedPaths = new Set<ItemPath>();
  #hints: ChangeHint[] = [];
  #isReset = false;
  #isCaughtUp = false;
  #feedCursor = CURSOR_START;
  #committedCursor = CURSOR_START;

  /** Resolves at whatever comes next; see `ChangeSignal`. */
  arm(signal: AbortSignal): Promise<void> {
    return this.#news.arm(signal);
  }

  /** A page of the feed was taken in. */
  feedRead(changed: readonly ItemPath[], isCaughtUp: boolean, cursor: Cursor): void {
    for (const path of changed) this.#changedPaths.add(path);
    this.#isCaughtUp ||= isCaughtUp;
    this.#feedCursor = cursor;
    this.#news.notify();
  }

  /** The remote tree was emptied; it is read anew. */
  feedReset(): void {
    this.#isReset = true;
    this.#isCaughtUp = false;
    this.#committedCursor = CURSOR_START;
    this.#news.notify();
  }

  hint(hint: ChangeHint): void {
    this.#hints.push(hint);
    this.#news.notify();
  }

  /** The feed has everything up to here that this client committed. */
  committed(cursor: Cursor): void {
    this.#committedCursor = cursor;
  }

  /** Something else happened that may let what failed succeed, such as another assignment. */
  nudge(): void {
    this.#news.notify();
  }

  /** Whether the remote tree has once reached the feed's end since it was last empty. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  /** Whether this client's own commits have come back by the feed. */
  get hasEcho(): boolean {
    return this.#feedCursor >= this.#committedCursor;
  }

  /** The paths of the remote tree that changed since the last call; undefined where all of them may have. */
  takeChangedPaths(): ReadonlySet<ItemPath> | undefined {
    const changed = this.#isReset ? undefined : this.#changedPaths;
    this.#changedPaths = new Set();
    this.#isReset = false;
    return changed;
  }

  takeHints(): readonly ChangeHint[] {
    const hints = this.#hints;
    this.#hints = [];
    return hints;
  }
}
