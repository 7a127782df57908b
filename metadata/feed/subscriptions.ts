import type { Cursor, NamespaceId } from '../../common/ids.js';
import type { EncodedPage } from './encoded-page.js';
import type { FeedReader } from './feed-reader.js';
import type { FeedSignals } from './feed-signals.js';
import type { WatcherLimit } from './watcher-limit.js';

interface Subscriber {
  readonly namespaceId: NamespaceId;
  /** The last cursor that the transport has taken. */
  sent: Cursor;
}

/** Everyone who is subscribed to a feed. A subscriber costs its stream and a cursor; pages are shared. */
export class Subscriptions {
  readonly #subscribers = new Set<Subscriber>();
  /** The ends of the feeds that have moved since the service began. */
  readonly #ends = new Map<NamespaceId, Cursor>();

  constructor(
    readonly reader: FeedReader,
    readonly signals: FeedSignals,
    readonly limit: WatcherLimit,
  ) {}

  /** Subscriptions that are open now. */
  get count(): number {
    return this.#subscribers.size;
  }

  /** How many cursors the slowest subscriber is behind the end of its feed. */
  get maxLag(): number {
    let lag = 0;
    for (const { namespaceId, sent } of this.#subscribers) {
      lag = Math.max(lag, (this.#ends.get(namespaceId) ?? sent) - sent);
    }
    return lag;
  }

  /** A feed has moved to a new end. */
  moved(namespaceId: NamespaceId, end: Cursor): void {
    this.#ends.set(namespaceId, end);
    this.signals.notify(namespaceId);
  }

  /**
   * The pages after a cursor, and those that come, until `signal` aborts. The first that reaches the feed's end is
   * yielded even where it is empty. Errors as FeedReader.read; RESOURCE_EXHAUSTED beyond the limit.
   */
  async *subscribe(namespaceId: NamespaceId, after: Cursor, signal: AbortSignal): AsyncGenerator<EncodedPage> {
    const leave = this.limit.enter();
    const subscriber: Subscriber = { namespaceId, sent: after };
    this.#subscribers.add(subscriber);
    try {
      let changed = this.signals.arm(namespaceId, signal);
      let hasCaughtUp = false;
      while (!signal.aborted) {
        const page = await this.reader.readShared(namespaceId, subscriber.sent);
        if (page.entryCount > 0 || !hasCaughtUp) yield page;
        hasCaughtUp ||= page.caughtUp;
        subscriber.sent = page.nextCursor;
        if (!page.caughtUp) continue;
        await changed;
        // Armed before the feed is read again, so that nothing slips between.
        changed = this.signals.arm(namespaceId, signal);
      }
    } finally {
      this.#subscribers.delete(subscriber);
      leave();
    }
  }
}
