import type { Cursor, NamespaceId } from '../ids.js';
import { Doorbell } from './doorbell.js';
import type { EncodedPage } from './encoded-page.js';
import type { FeedReader } from './feed-reader.js';
import type { ReaderPlace } from './feed-source.js';
import type { WatcherLimit } from './watcher-limit.js';

interface Subscriber {
  readonly bell: Doorbell;
  /** The last cursor that the transport has taken. */
  sent: Cursor;
}

/** The subscribers of one feed. Kept as long as there are any. */
interface Audience {
  readonly subscribers: Set<Subscriber>;
  /** The feed's end, where it has moved since the first of them came. */
  end: Cursor | undefined;
  /** Whether they are about to be woken. */
  ringing: boolean;
}

/** What somebody subscribes to. */
export interface Subscription extends ReaderPlace {
  readonly namespaceId: NamespaceId;
  /** Called before each page is read: raises where the subscriber may not have it, which ends the subscription. */
  readonly admit: () => Promise<unknown>;
}

/** Everyone who is subscribed to a feed. A subscriber costs its stream and a cursor; pages are shared. */
export class Subscriptions {
  readonly #audiences = new Map<NamespaceId, Audience>();

  constructor(
    readonly reader: FeedReader,
    readonly limit: WatcherLimit,
  ) {}

  /** Subscriptions that are open now. */
  get count(): number {
    let count = 0;
    for (const { subscribers } of this.#audiences.values()) count += subscribers.size;
    return count;
  }

  /** How many cursors the slowest subscriber is behind the end of its feed. */
  get maxLag(): number {
    let lag = 0;
    for (const { subscribers, end } of this.#audiences.values()) {
      for (const { sent } of subscribers) lag = Math.max(lag, (end ?? sent) - sent);
    }
    return lag;
  }

  /** A feed has moved to a new end: its subscribers are woken. */
  moved(namespaceId: NamespaceId, end: Cursor): void {
    const audience = this.#audiences.get(namespaceId);
    if (audience === undefined) return;
    audience.end = end;
    this.#wake(audience);
  }

  /** Somebody may no longer read what they are subscribed to: all are woken and admitted anew, or not. */
  accessChanged(): void {
    for (const audience of this.#audiences.values()) this.#wake(audience);
  }

  /**
   * Wakes an audience in the next turn of the event loop: whoever made the change is answered first, and several changes
   * in one turn wake it once.
   */
  #wake(audience: Audience): void {
    if (audience.ringing) return;
    audience.ringing = true;
    setImmediate(() => {
      audience.ringing = false;
      for (const { bell } of audience.subscribers) bell.ring();
    });
  }

  /**
   * The pages after a cursor, and those that come, until `signal` aborts. The first that reaches the feed's end is
   * yielded even where it is empty. Errors as FeedReader.read; RESOURCE_EXHAUSTED beyond the limit; what `admit` raises.
   */
  async *subscribe(
    { namespaceId, after, begunAt, afterHistory, admit }: Subscription,
    signal: AbortSignal,
  ): AsyncGenerator<EncodedPage> {
    const leave = this.limit.enter();
    // In the audience before the first read, so that nothing slips between.
    const subscriber = this.#join(namespaceId, after);
    const wake = (): void => subscriber.bell.ring();
    signal.addEventListener('abort', wake, { once: true });
    try {
      let [hasBegun, hasCaughtUp] = [false, false];
      while (!signal.aborted) {
        await admit();
        // Where the subscriber stands after the first page it knows from this feed.
        const place = { after: subscriber.sent, begunAt, afterHistory: hasBegun ? undefined : afterHistory };
        const page = await this.reader.readShared(namespaceId, place);
        hasBegun = true;
        if (page.entryCount > 0 || !hasCaughtUp) yield page;
        hasCaughtUp ||= page.caughtUp;
        subscriber.sent = page.nextCursor;
        if (page.caughtUp) await subscriber.bell.wait();
      }
    } finally {
      signal.removeEventListener('abort', wake);
      this.#leave(namespaceId, subscriber);
      leave();
    }
  }

  #join(namespaceId: NamespaceId, sent: Cursor): Subscriber {
    const audience = this.#audiences.get(namespaceId) ?? { subscribers: new Set(), end: undefined, ringing: false };
    this.#audiences.set(namespaceId, audience);
    const subscriber = { bell: new Doorbell(), sent };
    audience.subscribers.add(subscriber);
    return subscriber;
  }

  #leave(namespaceId: NamespaceId, subscriber: Subscriber): void {
    const audience = this.#audiences.get(namespaceId);
    audience?.subscribers.delete(subscriber);
    if (audience?.subscribers.size === 0) this.#audiences.delete(namespaceId);
  }
}
