import type { FeedCaller } from '../../../agent/feed/follow-feed.js';
import type { DrystoneError } from '../../../common/errors.js';
import { itemToWire } from '../../../common/feed/item-codec.js';
import type { Item } from '../../../common/feed/item.js';
import type {
  FeedPage,
  PushRequest,
  PushResponse,
  SubscribeRequest,
} from '../../../proto/gen/drystone/feed/v1/feed.js';

/** Metadata's feed service in the hands of a test. */
export class FakeFeed implements FeedCaller {
  readonly subscriptions: SubscribeRequest[] = [];
  readonly pushed: PushRequest[] = [];
  /** What the next subscription delivers, and how it ends; it just ends where nothing is said. */
  pages: FeedPage[] = [];
  breaks: DrystoneError | undefined;
  /** What a push is answered with, or what it raises. */
  answer: PushResponse | DrystoneError = { cursor: 1n, missingHashes: Buffer.alloc(0), merged: [] };

  readFeed: FeedCaller['readFeed'] = () => Promise.reject(new Error('an agent subscribes'));

  async *subscribe(request: SubscribeRequest): AsyncGenerator<FeedPage, void, undefined> {
    this.subscriptions.push(request);
    yield* this.pages;
    if (this.breaks !== undefined) throw this.breaks;
  }

  async *push(requests: AsyncIterable<PushRequest>): AsyncGenerator<PushResponse, void, undefined> {
    for await (const request of requests) {
      this.pushed.push(request);
      if (this.answer instanceof Error) throw this.answer;
      yield this.answer;
    }
  }
}

/** A page of a feed that begins after `after`. */
export function pageOf(after: number, items: readonly Item[], caughtUp = true): FeedPage {
  const entries = items.map((item, index) => ({ cursor: BigInt(after + 1 + index), item: itemToWire(item) }));
  return { entries, nextCursor: BigInt(after + items.length), caughtUp };
}
