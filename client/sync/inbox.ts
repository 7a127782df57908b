import { ChangeSignal } from '../../common/concurrency/change-signal.js';
import type { ItemPath } from '../../common/feed/item.js';
import { CURSOR_START, type Cursor } from '../../common/ids.js';
import type { ChangeHint } from '../observe/pending-changes.js';

/** What has come in since the sync last looked, from the folder's watcher, the feeds and metadata. */
export class Inbox {
  readonly #news = new ChangeSignal();
  #changedPaths = new Set<ItemPath>();
  #hints: ChangeHint[] = [];
  #isReset = false;
  #isCaughtUp = false;
  #isOnline = true;
  #hasTurned = false;
  #feedCursor = CURSOR_START;
  #committedCursor = CURSOR_START;

  /** Resolves at whatever comes next; see `ChangeSignal`. */
  arm(signal: AbortSignal): Promise<void> {
    return this.#news.arm(signal);
  }

  /** A page of metadata's feed was taken in. */
  feedRead(changed: readonly ItemPath[], isCaughtUp: boolean, cursor: Cursor): void {
    this.#feedCursor = cursor;
    this.heard(changed, isCaughtUp);
  }

  /** A page of another endpoint's feed was taken in. */
  heard(changed: readonly ItemPath[], isCaughtUp: boolean): void {
    this.#isCaughtUp ||= isCaughtUp;
    this.changed(changed);
  }

  /** These paths are to be planned anew. */
  changed(paths: Iterable<ItemPath>): void {
    for (const path of paths) this.#changedPaths.add(path);
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

  /** What failed, or was refused, may succeed now: agents, roles or the way to metadata may be others. */
  turn(): void {
    this.#hasTurned = true;
    this.#news.notify();
  }

  /** From now on metadata is reached, or is not. */
  connected(isOnline: boolean): void {
    this.#isOnline = isOnline;
    this.turn();
  }

  /** Whether the remote tree has once reached the feed's end since it was last empty. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  /** Whether this client's own commits have come back by metadata's feed, as far as that can be read. */
  get hasEcho(): boolean {
    return !this.#isOnline || this.#feedCursor >= this.#committedCursor;
  }

  /** Whether there was a {@link turn} since the last call. */
  takeTurn(): boolean {
    const hasTurned = this.#hasTurned;
    this.#hasTurned = false;
    return hasTurned;
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
