import { feedHistoryToWire, parseFeedHistory } from '../../common/feed/feed-history.js';
import { entryFromWire } from '../../common/feed/item-codec.js';
import { itemOf, mergeItems } from '../../common/feed/merge.js';
import { DrystoneError } from '../../common/errors.js';
import type { Item, ItemPath } from '../../common/feed/item.js';
import {
  CURSOR_START,
  parseCursor,
  type Cursor,
  type DeviceId,
  type NamespaceId,
  type ReplicaId,
} from '../../common/ids.js';
import type { FeedPage, SubscribeRequest } from '../../proto/gen/drystone/feed/v1/feed.js';
import type { ReadableFeed } from '../connection/feed-calls.js';
import type { CursorMove } from '../state/cursors.js';
import { isOwnWord } from '../state/provisional.js';
import type { FeedEndpoint, TreeStore } from '../state/tree-store.js';
import type { InHand } from './in-hand.js';
import { checkOwnNumbers } from './own-numbers.js';

export interface FeedFollowerParts {
  readonly namespaceId: NamespaceId;
  /** Who keeps the feed. */
  readonly endpoint: FeedEndpoint;
  readonly feed: ReadableFeed;
  /** The folder, which makes durable what it reads: deletions are kept for it until it has seen them. */
  readonly replica: ReplicaId;
  /** This device: what is its word and only others were told is provisional. */
  readonly device: DeviceId;
  readonly store: TreeStore;
  /** What is being brought into the folder, which is kept where the namespace moves on from it. */
  readonly inHand: Pick<InHand, 'among'>;
  /** Raises where items are not to be believed; what metadata and agents serve they have checked. */
  readonly check?: (items: readonly Item[]) => void;
  /**
   * These paths are to be planned anew: the remote tree has changed there, or metadata may have learned what only others had
   * been told, which a plan can wait for. Called for every page, also one without changes.
   */
  readonly onPage: (changed: readonly ItemPath[], isCaughtUp: boolean) => void;
  /** Until the feed's end is reached again the remote tree is not what the namespace holds: everything is read again. */
  readonly onReset: () => void;
}

/** A place in a feed, and its history as far as that is known. */
type Place = Pick<CursorMove, 'cursor' | 'history'>;

/**
 * Follows a feed from where it was last read for as long as the call lasts: each page is written together with the cursor
 * behind it, so whenever it ends it goes on where it was. Raises the errors of the feed and of {@link checkOwnNumbers}, of which
 * nothing is written then; never returns otherwise.
 */
export async function followFeed(parts: FeedFollowerParts, signal: AbortSignal): Promise<never> {
  const { namespaceId, endpoint, feed, store, replica: replicaId } = parts;
  for (;;) {
    try {
      const request = { namespaceId, ...afterOf(placeIn(store, endpoint)), replicaId };
      for await (const page of feed.subscribe(request, { signal })) await takePage(parts, page);
      throw new DrystoneError('UNAVAILABLE', 'TRANSPORT', `the subscription at ${endpoint} was ended`);
    } catch (thrown) {
      await startAfresh(parts, thrown, signal);
    }
  }
}

/**
 * Reads the feed up to its end, as it is when the call is made. After a push whose answer was lost this tells whether it
 * was accepted. Raises what {@link followFeed} does.
 */
export async function catchUp(parts: FeedFollowerParts, signal: AbortSignal): Promise<void> {
  let after = placeIn(parts.store, parts.endpoint);
  for (let isCaughtUp = false; !isCaughtUp;) {
    const page = await readPage(parts, after, signal);
    // A subscription may have moved the cursor meanwhile, or begun again: then that is where it has to be.
    await takePage(parts, page, after.cursor);
    after = placeBehind(page);
    isCaughtUp = page.caughtUp;
  }
}

/** Prepares for reading from the start where that is what an error of the feed asks for; raises it otherwise. */
async function startAfresh(parts: FeedFollowerParts, thrown: unknown, signal: AbortSignal): Promise<void> {
  const { endpoint, store, onReset } = parts;
  const reason = thrown instanceof DrystoneError ? thrown.reason : undefined;
  if (reason !== 'CURSOR_AHEAD' && reason !== 'CURSOR_FORGOTTEN') throw thrown;
  if (endpoint !== 'metadata') {
    await store.write({ cursorAt: [endpoint, CURSOR_START] });
    return;
  }
  onReset();
  if (reason === 'CURSOR_AHEAD') await store.write({ forgetRemote: true, cursor: CURSOR_START });
  else await readAgain(parts, signal).catch((next: unknown) => startAfresh(parts, next, signal));
}

/**
 * Reads metadata's feed from the start to its end: what is known and is not found there was deleted, and the deletion
 * forgotten. The cursor moves when all of that is written; until then the next attempt begins again.
 */
async function readAgain(parts: FeedFollowerParts, signal: AbortSignal): Promise<void> {
  const { store, replica, inHand, onPage } = parts;
  const found = new Set<ItemPath>();
  let place: Place = { cursor: CURSOR_START, history: undefined };
  for (let isCaughtUp = false; !isCaughtUp;) {
    const page = await readPage(parts, place, signal);
    const items = itemsOf(page);
    checkOwnNumbers(items, replica, store);
    for (const { path } of items) found.add(path);
    const news = byPath(items);
    await store.write({ remote: news, confirmed: news, inHand: inHand.among(news) });
    place = placeBehind(page);
    isCaughtUp = page.caughtUp;
  }
  const gone = [...store.remote.pathsBelow('')].filter((path) => isGone(path, found, store));
  await store.write({ remote: byPath(gone.flatMap((path) => withoutStates(store.remote.get(path)))), ...place });
  onPage(gone, true);
}

/** Whether a path is one that metadata had and has no longer. What only an agent was told, it never had. */
function isGone(path: ItemPath, found: ReadonlySet<ItemPath>, { provisional }: TreeStore): boolean {
  return !found.has(path) && provisional.get(path) === undefined;
}

/** An item whose states were all replaced by something that nobody remembers. */
function withoutStates(item: Item | undefined): Item[] {
  return item === undefined ? [] : [itemOf(item.path, item.version, [])];
}

function readPage({ namespaceId, feed }: FeedFollowerParts, place: Place, signal: AbortSignal): Promise<FeedPage> {
  return feed.readFeed({ namespaceId, ...afterOf(place), pageSize: 0, pathPrefix: '' }, { signal });
}

async function takePage(parts: FeedFollowerParts, page: FeedPage, cursorFrom?: Cursor): Promise<void> {
  const { endpoint, store, device, replica, inHand: held, check, onPage } = parts;
  const items = itemsOf(page);
  check?.(items);
  checkOwnNumbers(items, replica, store);
  const { cursor, history } = placeBehind(page);
  const news = byPath(items.filter((item) => isNews(item, store.remote.get(item.path))));
  const inHand = held.among(news);
  if (endpoint === 'metadata') {
    const confirmed = byPath(items.filter(({ path }) => store.provisional.get(path) !== undefined));
    await store.write({ remote: news, confirmed, inHand, cursor, history, cursorFrom });
    onPage([...new Set([...news.keys(), ...confirmed.keys()])], page.caughtUp);
  } else {
    const provisional = byPath([...news.values()].filter((item) => isOwnWord(item, device)));
    await store.write({ heard: news, provisional, inHand, cursorAt: [endpoint, cursor, history], cursorFrom });
    onPage([...news.keys()], page.caughtUp);
  }
}

function itemsOf({ entries }: FeedPage): Item[] {
  return entries.map((entry, index) => entryFromWire(`entries[${index}]`, entry).item);
}

/** Where the feed of an endpoint was read up to. */
function placeIn(store: TreeStore, endpoint: FeedEndpoint): Place {
  return { cursor: store.cursorOf(endpoint), history: store.historyOf(endpoint) };
}

function placeBehind({ nextCursor, history }: FeedPage): Place {
  return { cursor: parseCursor('next_cursor', nextCursor), history: parseFeedHistory('history', history) };
}

/** How one asks for what comes after a place. */
function afterOf({ cursor, history }: Place): Pick<SubscribeRequest, 'afterCursor' | 'afterHistory'> {
  return { afterCursor: BigInt(cursor), afterHistory: feedHistoryToWire(history) };
}

function byPath(items: readonly Item[]): Map<ItemPath, Item> {
  return new Map(items.map((item) => [item.path, item]));
}

/** Whether an item says more than what is known already, as the echo of an own commit does not. */
function isNews(item: Item, known: Item | undefined): boolean {
  return known === undefined || mergeItems(known, item) !== known;
}
