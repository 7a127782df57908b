import type { AccountName, AgentId, Cursor, NamespaceId, NamespaceName } from '../../common/ids.js';
import type { CommitBatch, CommitDecision } from '../commit/decide.js';
import type { AgentRow, DeviceRow, FeedHead, NamespaceRow, NewNamespace, Page } from './rows.js';

/**
 * What the metadata service keeps. One contract, several engines, one suite of tests for all (test/contract).
 *
 * Every method that writes is one transaction and resolves when that is durable: what has been acknowledged survives a
 * power cut, and what a reader sees has been acknowledged or will be. Rejected writes have changed nothing. Questions are
 * asked about sets, packed hashes and lists of ids, so that an engine across a network answers each in one round trip.
 * No transaction spans two namespaces. Methods may be called in any order and overlap; writes of one namespace take
 * effect in the order of the calls. After `close` every method rejects with UNAVAILABLE (DRAINING). A medium that fails
 * raises INTERNAL (STORE_FAILED).
 */
export interface MetadataStore {
  readonly directory: DirectoryStore;
  readonly presence: PresenceStore;
  readonly journal: JournalStore;
  /** How much is kept. */
  stats(): Promise<StoreStats>;
  /**
   * Calls `listener` after each durable change, of this process or, where an engine serves several, of any other. A
   * listener must not throw. Returns what ends it.
   */
  onChange(listener: (change: StoreChange) => void): () => void;
  /** Waits for what has begun, then closes. Idempotent. */
  close(): Promise<void>;
}

export type StoreChange =
  /** Items were committed: the feed now ends at `cursor`. */
  | { readonly kind: 'feed'; readonly namespaceId: NamespaceId; readonly cursor: Cursor }
  /** A namespace, an assignment or what is known of an agent has changed. */
  | { readonly kind: 'directory' };

export interface StoreStats {
  readonly namespaces: number;
  readonly agents: number;
  /** Pairs of a namespace and a block that at least one agent holds for it. */
  readonly presenceRows: number;
  /** Entries in all journals. */
  readonly journalEntries: number;
  /** What the store takes on disk; 0 where it takes nothing. */
  readonly fileBytes: number;
}

/** Accounts, devices, agents, namespaces and which agents hold them. */
export interface DirectoryStore {
  /**
   * Makes a device known, and its account where that is new; updates its display name. Idempotent. ALREADY_EXISTS
   * (DEVICE_OF_OTHER_ACCOUNT) where the device belongs to another account.
   */
  putDevice(device: DeviceRow): Promise<void>;
  hasAccount(account: AccountName): Promise<boolean>;
  /** Makes an agent known, or updates it. Idempotent. RESOURCE_EXHAUSTED beyond `metadataLimits.agents`. */
  putAgent(agent: AgentRow): Promise<void>;
  /** The agents with these ids, in their order; undefined for one that is not known. */
  getAgents(ids: readonly AgentId[]): Promise<readonly (AgentRow | undefined)[]>;
  /** At most `limit` agents whose id comes after `after`, by id. */
  listAgents(after: AgentId | undefined, limit: number): Promise<Page<AgentRow>>;
  /** ALREADY_EXISTS (NAMESPACE_EXISTS) where the name is taken, NOT_FOUND (AGENT_UNKNOWN). Its epoch is 1. */
  createNamespace(namespace: NewNamespace): Promise<NamespaceRow>;
  /**
   * Says which agents hold a namespace, each once; its epoch grows by one. NOT_FOUND (NAMESPACE_UNKNOWN, AGENT_UNKNOWN).
   */
  setAssignment(id: NamespaceId, agents: readonly AgentId[]): Promise<NamespaceRow>;
  getNamespace(id: NamespaceId): Promise<NamespaceRow | undefined>;
  findNamespace(name: NamespaceName): Promise<NamespaceRow | undefined>;
  /** At most `limit` namespaces whose name comes after `after`, by name. */
  listNamespaces(after: NamespaceName | undefined, limit: number): Promise<Page<NamespaceRow>>;
  /** The namespaces assigned to an agent, by id. Empty where it is not known. */
  listHoldings(agent: AgentId): Promise<readonly NamespaceRow[]>;
  /** How many namespaces are assigned to each of these agents, in their order. */
  countHoldings(agents: readonly AgentId[]): Promise<readonly number[]>;
}

/** Which agents hold a block for a namespace. An agent that is not known holds nothing. */
export interface PresenceStore {
  /** Those of the packed hashes that `agent` does not hold for this namespace: packed, in the order given. */
  findMissing(namespaceId: NamespaceId, agent: AgentId, hashes: Uint8Array): Promise<Uint8Array>;
  /** How many of the packed hashes each of the agents does not hold for this namespace, in their order. */
  countMissing(namespaceId: NamespaceId, agents: readonly AgentId[], hashes: Uint8Array): Promise<readonly number[]>;
}

/** Items: their current state, the feed of last changes, and the history behind it. */
export interface JournalStore {
  /**
   * Records what `batch.stored` says is where, looks which blocks of the items no assigned agent holds, and writes what
   * `decideCommit` makes of it. NOT_FOUND (NAMESPACE_UNKNOWN, AGENT_UNKNOWN); what `decideCommit` raises, raises this.
   */
  commit(namespaceId: NamespaceId, batch: CommitBatch): Promise<CommitDecision>;
  /** Where the feed ends; NOT_FOUND (NAMESPACE_UNKNOWN). */
  feedHead(namespaceId: NamespaceId): Promise<FeedHead>;
  /** A part of the feed, as of one moment; NOT_FOUND (NAMESPACE_UNKNOWN), OUT_OF_RANGE (CURSOR_AHEAD). */
  readFeed(namespaceId: NamespaceId, query: FeedQuery): Promise<FeedSlice>;
}

export interface FeedQuery {
  /** Entries after this one. */
  readonly after: Cursor;
  /** Entries at the most. */
  readonly maxEntries: number;
  /** Encoded bytes of items at the most, unless the first is larger. */
  readonly maxBytes: number;
  /** Only items at or below this path; all where it is empty. */
  readonly pathPrefix: string;
}

export interface FeedSlice {
  /** Ascending. */
  readonly entries: readonly StoredEntry[];
  /** Go on after this one: past what the prefix left out, and the feed's end where that was reached. */
  readonly nextCursor: Cursor;
  /** Whether no entry after `nextCursor` existed when this was read. */
  readonly caughtUp: boolean;
}

/** A feed entry as it lies in the store. */
export interface StoredEntry {
  readonly cursor: Cursor;
  /** The item's protobuf encoding. */
  readonly item: Uint8Array;
}
