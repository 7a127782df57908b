import { hashCount } from '../../../common/block-hash.js';
import { decodeItem, encodeItem } from '../../../common/feed/item-codec.js';
import type { Item, ItemPath } from '../../../common/feed/item.js';
import { itemOf } from '../../../common/feed/merge.js';
import { compareVersions, joinVersions } from '../../../common/feed/version.js';
import { CURSOR_START, parseCursor, parseNamespaceId, type NamespaceId } from '../../../common/ids.js';
import { wireLimits } from '../../../common/limits.js';
import type { CallContext } from '../../../common/rpc/method-types.js';
import type { ServedService } from '../../../common/rpc/server.js';
import { FeedServiceService, type SubscribeRequest } from '../../../proto/gen/drystone/feed/v1/feed.js';
import type { FeedSlice } from '../../../common/feed-service/feed-source.js';
import { FeedReader } from '../../../common/feed-service/feed-reader.js';
import type { NewItem } from '../../../common/feed/push-items.js';
import type { JournalStore, MetadataStore } from '../../../metadata/store/contract.js';
import { partsOf } from '../nodes/metadata-node.js';
import type { SimulatedProcess } from '../process.js';
import type { PlantedFault } from './fault.js';

/** The path's item as the store has it. */
async function heldItem(journal: JournalStore, namespaceId: NamespaceId, path: ItemPath): Promise<Item | undefined> {
  const query = { after: CURSOR_START, maxEntries: Infinity, maxBytes: Infinity, pathPrefix: path };
  const { entries } = await journal.readFeed(namespaceId, query);
  return entries.map(({ item }) => decodeItem(item)).find((item) => item.path === path);
}

/** A store in whose commits each item is first made another one, in the knowledge of the one that is held. */
function rewriting(store: MetadataStore, rewrite: (item: Item, held: Item) => Item): MetadataStore {
  const { journal } = store;
  const commit: JournalStore['commit'] = async (namespaceId, batch) => {
    const items: NewItem[] = [];
    for (const next of batch.items) {
      const held = await heldItem(journal, namespaceId, next.item.path);
      const isConcurrent = held !== undefined && compareVersions(next.item.version, held.version) === 'concurrent';
      const item = isConcurrent ? rewrite(next.item, held) : next.item;
      items.push({ item, encoded: encodeItem(item) });
    }
    return journal.commit(namespaceId, { items, stored: batch.stored });
  };
  return { ...partsOf(store), journal: { ...readsOf(journal), commit } };
}

function readsOf(journal: JournalStore): Omit<JournalStore, 'commit'> {
  return {
    feedHead: (namespaceId) => journal.feedHead(namespaceId),
    readFeed: (namespaceId, query) => journal.readFeed(namespaceId, query),
    historyOf: (namespaceId, cursor) => journal.historyOf(namespaceId, cursor),
  };
}

/** The item as if it had been made in the knowledge of what is held. */
function overriding(item: Item, held: Item): Item {
  return itemOf(item.path, joinVersions(item.version, held.version), [item]);
}

const mergeDropsLoser: PlantedFault = {
  name: 'merge-drops-loser',
  what: 'of two changes made at the same time metadata keeps the one that comes last, and forgets the other',
  faults: { metadata: { store: (store) => rewriting(store, overriding) } },
};

const deleteBeatsEdit: PlantedFault = {
  name: 'delete-beats-edit',
  what: 'a deletion wins over an edit that was made at the same time',
  faults: {
    metadata: {
      store: (store) =>
        rewriting(store, (item, held) => {
          if (item.content.kind === 'deletion') return overriding(item, held);
          return held.content.kind === 'deletion' ? overriding(held, item) : item;
        }),
    },
  },
};

/** Presence of blocks that somebody has only asked about. */
function believing(store: MetadataStore): MetadataStore {
  const { presence, journal } = store;
  return {
    ...partsOf(store),
    presence: {
      countMissing: (namespaceId, agents, hashes) => presence.countMissing(namespaceId, agents, hashes),
      findMissing: async (namespaceId, agent, hashes) => {
        const missing = await presence.findMissing(namespaceId, agent, hashes);
        if (hashCount(missing) > 0)
          await journal.commit(namespaceId, { items: [], stored: [{ agent, hashes: missing }] });
        return missing;
      },
    },
  };
}

const presenceWithoutReceipt: PlantedFault = {
  name: 'presence-without-receipt',
  what: 'metadata takes blocks for stored as soon as it has told a client to send them',
  faults: { metadata: { store: believing } },
};

/** A deletion that is older than this is forgotten, whoever has not seen it. */
const FORGOTTEN_AFTER_MS = 3_000;

const tombstonesForgotten: PlantedFault = {
  name: 'tombstone-forgotten-early',
  what: 'deletions leave the feed after three seconds, whether every client has seen them or not',
  faults: {
    metadata: {
      store: (store, process) => {
        const { journal } = store;
        const readFeed: JournalStore['readFeed'] = async (namespaceId, query) =>
          withoutOldDeletions(await journal.readFeed(namespaceId, query), process);
        return { ...partsOf(store), journal: { ...readsOf(journal), commit: journal.commit, readFeed } };
      },
    },
  },
};

function withoutOldDeletions(slice: FeedSlice, process: SimulatedProcess): FeedSlice {
  const youngestMs = process.context.clock.nowMs() - FORGOTTEN_AFTER_MS;
  const entries = slice.entries.filter(({ item }) => {
    const { content, at } = decodeItem(item);
    return content.kind !== 'deletion' || at.wallMs > youngestMs;
  });
  return { ...slice, entries };
}

const commitBeforeSync: PlantedFault = {
  name: 'commit-acknowledged-before-sync',
  what: 'metadata answers a commit before it is on disk',
  faults: {
    metadata: {
      store: (store, process) => {
        // What was acknowledged is applied in the order of the calls, a little later.
        let last: Promise<unknown> = Promise.resolve();
        let cursor: number | undefined;
        const { journal } = store;
        const commit: JournalStore['commit'] = async (namespaceId, batch) => {
          const feed = await journal.feedHead(namespaceId);
          cursor = Math.max(cursor ?? 0, feed.cursor) + batch.items.length;
          const synced = async (): Promise<void> => {
            await process.context.clock.sleep(100);
            await journal.commit(namespaceId, batch);
          };
          last = last.then(synced, synced);
          last.catch(() => undefined);
          const answer = { ...feed, cursor: parseCursor('cursor', BigInt(cursor)) };
          return { feed: answer, missing: new Uint8Array(0), merged: [], writes: [] };
        };
        return { ...partsOf(store), journal: { ...readsOf(journal), commit } };
      },
    },
  },
};

/** What passes before somebody listens. */
const UNHEARD_MS = 50;

/** Reads the feed to its end, and only then, some time later, begins to listen. */
function listeningLate(
  services: readonly ServedService[],
  store: MetadataStore,
  process: SimulatedProcess,
): readonly ServedService[] {
  const { path } = FeedServiceService.subscribe;
  const reader = new FeedReader(store.journal, wireLimits.pageBytes);
  return services.map(({ methods }) => {
    const entries = Object.entries(methods).map(([name, served]) => {
      if (served.method.path !== path) return [name, served] as const;
      const handler = async function* (input: unknown, context: CallContext) {
        const request = input as SubscribeRequest;
        const namespaceId = parseNamespaceId('namespace_id', request.namespaceId);
        let after = parseCursor('after_cursor', request.afterCursor);
        for (let isCaughtUp = false; !isCaughtUp;) {
          const query = { after, maxEntries: wireLimits.entriesPerPage, pathPrefix: '' };
          const page = await reader.read(namespaceId, query);
          yield page;
          after = page.nextCursor;
          isCaughtUp = page.caughtUp;
        }
        await process.context.clock.sleep(UNHEARD_MS);
        const { cursor } = await store.journal.feedHead(namespaceId);
        const late = { ...request, afterCursor: BigInt(cursor) };
        yield* served.handler(late, context) as AsyncIterable<unknown>;
      };
      return [name, { ...served, handler }] as const;
    });
    return { methods: Object.fromEntries(entries) };
  });
}

const subscriptionAfterRead: PlantedFault = {
  name: 'subscription-armed-after-the-read',
  what: 'a subscription reads the feed to its end and begins to listen after that: what comes between is not told',
  faults: { metadata: { services: listeningLate } },
};

export const metadataFaults: readonly PlantedFault[] = [
  mergeDropsLoser,
  deleteBeatsEdit,
  presenceWithoutReceipt,
  tombstonesForgotten,
  commitBeforeSync,
  subscriptionAfterRead,
];
