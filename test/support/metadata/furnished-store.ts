import { decodeItem } from '../../../common/feed/item-codec.js';
import type { Item } from '../../../common/feed/item.js';
import { wireLimits } from '../../../common/limits.js';
import type { CommitDecision, StoredBlocks } from '../../../metadata/commit/decide.js';
import type { FeedQuery, MetadataStore } from '../../../metadata/store/contract.js';
import { cursor, hashesNamed, newItem, sampleAgent, sampleNamespace, type SampleAgent } from './samples.js';

export const lisbon = sampleAgent('lisbon');
export const porto = sampleAgent('porto', 'porto');
export const shared = sampleNamespace('shared', lisbon, porto);
export const other = sampleNamespace('other', lisbon);

export const WHOLE_FEED: FeedQuery = {
  after: cursor(0),
  maxEntries: wireLimits.entriesPerPage,
  maxBytes: wireLimits.pageBytes,
  pathPrefix: '',
};

export function storedAt(agent: SampleAgent, ...blocks: readonly string[]): StoredBlocks {
  return { agent: agent.id, hashes: hashesNamed(...blocks) };
}

/** Commits items to the shared namespace. */
export function commitItems(
  store: MetadataStore,
  items: readonly Item[],
  stored: readonly StoredBlocks[] = [],
): Promise<CommitDecision> {
  return store.journal.commit(shared.id, { items: items.map(newItem), stored });
}

/** What the feed holds: "cursor path". */
export async function feedOf(store: MetadataStore, query: Partial<FeedQuery> = {}): Promise<string[]> {
  const { entries } = await store.journal.readFeed(shared.id, { ...WHOLE_FEED, ...query });
  return entries.map((entry) => `${entry.cursor} ${decodeItem(entry.item).path}`);
}

/** What the feed holds, by path. */
export async function itemsOf(store: MetadataStore): Promise<Map<string, Item>> {
  const { entries } = await store.journal.readFeed(shared.id, WHOLE_FEED);
  return new Map(entries.map((entry) => decodeItem(entry.item)).map((item) => [item.path, item]));
}

/** Makes two agents and two namespaces known. */
export async function furnish(store: MetadataStore): Promise<void> {
  for (const { row } of [lisbon, porto]) await store.directory.putAgent(row);
  for (const namespace of [shared, other]) await store.directory.createNamespace(namespace);
}
