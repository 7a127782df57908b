import { CURSOR_START, type Cursor, type NamespaceId } from '../ids.js';

/**
 * Where readers began that read a feed page by page from 0. Between two pages they stand at a cursor at which others would
 * have missed deletions; they have not, since they began when these had been forgotten already. At most so many are
 * remembered; one that is not begins again. A reader is called by its id.
 */
export class FeedWalks {
  /** In the order of their last page, the oldest first. */
  readonly #begunAt = new Map<string, Cursor>();

  constructor(readonly capacity: number) {}

  /** Where the one began who stands at `after`; `end` is where the feed ends now. Undefined where that is not known. */
  begunAt(namespaceId: NamespaceId, reader: string, after: Cursor, end: Cursor): Cursor | undefined {
    return after === CURSOR_START ? end : this.#begunAt.get(keyOf(namespaceId, reader, after));
  }

  /** A reader that began there goes on after `next`. */
  moved(namespaceId: NamespaceId, reader: string, next: Cursor, begunAt: Cursor | undefined): void {
    // Who stands at or behind the place where it began is like any other.
    if (begunAt === undefined || next >= begunAt) return;
    const key = keyOf(namespaceId, reader, next);
    // Two folders of a device may stand at one place: what the one that began first has missed, both are told of.
    const earliest = Math.min(begunAt, this.#begunAt.get(key) ?? begunAt) as Cursor;
    this.#begunAt.delete(key);
    this.#begunAt.set(key, earliest);
    for (const oldest of this.#begunAt.keys()) {
      if (this.#begunAt.size <= this.capacity) return;
      this.#begunAt.delete(oldest);
    }
  }
}

function keyOf(namespaceId: NamespaceId, reader: string, cursor: Cursor): string {
  return `${namespaceId} ${reader} ${cursor}`;
}
