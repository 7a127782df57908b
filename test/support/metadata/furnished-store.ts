import type { FeedQuery } from '../../../common/feed-service/feed-source.js';
import type { PushDecision } from '../../../common/feed/decide-push.js';
import { decodeItem } from '../../../common/feed/item-codec.js';
import type { Item } from '../../../common/feed/item.js';
import type { AccountName, NamespaceId } from '../../../common/ids.js';
import { wireLimits } from '../../../common/limits.js';
import type { StoredBlocks } from '../../../metadata/commit/commit-batch.js';
import type { MetadataStore } from '../../../metadata/store/contract.js';
import type { AccountRole, DeviceRow, NamespaceRow, NewNamespace } from '../../../metadata/store/rows.js';
import {
  accountNamed,
  auditEntry,
  cursor,
  deviceNamed,
  hashesNamed,
  newItem,
  SAMPLE_TIME_MS,
  sampleAgent,
  type SampleAgent,
  sampleNamespace,
  sampleToken,
} from './samples.js';

export const ana = accountNamed('ana');
export const ben = accountNamed('ben');
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
): Promise<PushDecision> {
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

/** Lets an agent join, and register. */
export async function enrollAgent(store: MetadataStore, { row }: SampleAgent): Promise<void> {
  const { id, publicKey, premises, address, softwareVersion } = row;
  const token = sampleToken(`of agent ${id}`, { kind: 'agent', premises });
  await store.enrollment.createToken(token, auditEntry('token.issue', token.id));
  const holder = { kind: 'agent', agent: { id, publicKey, premises } } as const;
  await store.enrollment.redeemToken(token.id, SAMPLE_TIME_MS, holder, auditEntry('agent.enroll', id));
  await store.directory.registerAgent(id, { address, softwareVersion });
}

/** Lets a device of an account log in. */
export async function enrollDevice(store: MetadataStore, account: AccountName, name: string): Promise<DeviceRow> {
  const id = deviceNamed(name);
  const token = sampleToken(`of device ${id}`, { kind: 'device', account });
  await store.enrollment.createToken(token, auditEntry('token.issue', token.id));
  const holder = { kind: 'device', device: { id, account, displayName: name } } as const;
  await store.enrollment.redeemToken(token.id, SAMPLE_TIME_MS, holder, auditEntry('device.enroll', id));
  return { id, account, displayName: name, enrolledAtMs: SAMPLE_TIME_MS, revokedAtMs: undefined };
}

/** Makes an account. */
export function createAccount(store: MetadataStore, name: AccountName, role: AccountRole = 'member'): Promise<void> {
  const account = { name, role, createdAtMs: SAMPLE_TIME_MS };
  return store.accounts.createAccount(account, auditEntry('account.create', name));
}

/** Makes a namespace that belongs to ana. */
export function createNamespace(store: MetadataStore, namespace: NewNamespace): Promise<NamespaceRow> {
  return store.directory.createNamespace(namespace, ana, auditEntry('namespace.create', namespace.name));
}

/** Says which agents hold a namespace. */
export function setAssignment(
  store: MetadataStore,
  id: NamespaceId,
  ...agents: readonly SampleAgent[]
): Promise<NamespaceRow> {
  const ids = agents.map((agent) => agent.id);
  return store.directory.setAssignment(id, ids, auditEntry('namespace.assign', id));
}

/** Makes two accounts, of which ana is an administrator and ben is not, two agents, and two namespaces of ana's. */
export async function furnish(store: MetadataStore): Promise<void> {
  // What waits for nothing is written at once: a test that runs on disk waits for few syncs.
  await Promise.all([
    createAccount(store, ana, 'administrator'),
    createAccount(store, ben),
    enrollAgent(store, lisbon),
    enrollAgent(store, porto),
  ]);
  await Promise.all([createNamespace(store, shared), createNamespace(store, other)]);
}
