import type { FeedSource } from '../../common/feed-service/feed-source.js';
import type { PushDecision } from '../../common/feed/decide-push.js';
import type { FeedHead } from '../../common/feed/placement.js';
import type {
  AccountName,
  AgentId,
  Cursor,
  DeviceId,
  NamespaceId,
  NamespaceName,
  ReplicaId,
} from '../../common/ids.js';
import type { CommitBatch } from '../commit/commit-batch.js';
import type {
  AccountRole,
  AccountRow,
  AgentRow,
  AuditRow,
  DeviceRow,
  EnrollmentTokenRow,
  MemberRole,
  MemberRow,
  NamespaceRow,
  NewAuditEntry,
  NewNamespace,
  Page,
  ReplicaRow,
  TokenKeyRow,
} from './rows.js';

/**
 * What the metadata service keeps. One contract, several engines, one suite of tests for all (test/contract).
 *
 * Every method that writes is one transaction and resolves when that is durable: what has been acknowledged survives a
 * power cut, and what a reader sees has been acknowledged or will be. Rejected writes have changed nothing. Questions are
 * asked about sets, packed hashes and lists of ids, so that an engine across a network answers each in one round trip.
 * No transaction spans the items of two namespaces. Methods may be called in any order and overlap; writes of one
 * namespace take effect in the order of the calls. After `close` every method rejects with UNAVAILABLE (DRAINING). A
 * medium that fails raises INTERNAL (STORE_FAILED).
 */
export interface MetadataStore {
  readonly accounts: AccountStore;
  readonly enrollment: EnrollmentStore;
  readonly audit: AuditStore;
  readonly directory: DirectoryStore;
  readonly presence: PresenceStore;
  readonly journal: JournalStore;
  readonly knowledge: KnowledgeStore;
  /** How much is kept. */
  stats(): Promise<StoreStats>;
  /**
   * Calls `listener` after each durable change, of this process or, where an engine serves several, of any other. Of a
   * change of this process it is told before the method that made it resolves: what was remembered until then must not be
   * used once a revocation has been acknowledged. A listener must not throw. Returns what ends it.
   */
  onChange(listener: (change: StoreChange) => void): () => void;
  /** Waits for what has begun, then closes. Idempotent. */
  close(): Promise<void>;
}

export type StoreChange =
  /** Items were committed: the feed now ends at `cursor`. */
  | { readonly kind: 'feed'; readonly namespaceId: NamespaceId; readonly cursor: Cursor }
  /** A namespace, an assignment, a membership or what is known of an agent, a device or an account has changed. */
  | { readonly kind: 'directory' }
  /** A key that signs access tokens was added or removed. */
  | { readonly kind: 'token keys' };

export interface StoreStats {
  readonly namespaces: number;
  /** Those that are not revoked. */
  readonly agents: number;
  /** Pairs of a namespace and a block that at least one agent holds for it. */
  readonly presenceRows: number;
  /** Entries in all journals. */
  readonly journalEntries: number;
  /** Deletions in all feeds. */
  readonly tombstones: number;
  /** Items with rivals whose content people would miss. */
  readonly openConflicts: number;
  /** Replicas of which is known how far they have seen a feed, counted once a namespace. */
  readonly replicas: number;
  /** What the store takes on disk; 0 where it takes nothing. */
  readonly fileBytes: number;
}

/**
 * Accounts, their devices, and what they may do. Each method that writes takes the entry for the audit log that says so,
 * and writes it in the same transaction; where it changes nothing there is none.
 */
export interface AccountStore {
  /** ALREADY_EXISTS (ACCOUNT_EXISTS). */
  createAccount(account: AccountRow, audit: NewAuditEntry): Promise<void>;
  /** NOT_FOUND (ACCOUNT_UNKNOWN), FAILED_PRECONDITION (LAST_ADMINISTRATOR). */
  setAccountRole(name: AccountName, role: AccountRole, audit: NewAuditEntry): Promise<AccountRow>;
  getAccount(name: AccountName): Promise<AccountRow | undefined>;
  /** At most `limit` accounts whose name comes after `after`, by name. */
  listAccounts(after: AccountName | undefined, limit: number): Promise<Page<AccountRow>>;
  getDevice(id: DeviceId): Promise<DeviceRow | undefined>;
  /** At most `limit` devices, of one account or of all, whose id comes after `after`, by id. */
  listDevices(account: AccountName | undefined, after: DeviceId | undefined, limit: number): Promise<Page<DeviceRow>>;
  /**
   * Revokes a device, and voids the one-time tokens that wait for devices of its account: whoever had the device may have
   * had them issued. Idempotent. NOT_FOUND (DEVICE_UNKNOWN).
   */
  revokeDevice(id: DeviceId, atMs: number, audit: NewAuditEntry): Promise<DeviceRow>;
  /**
   * Makes an account a member, or gives it another role. Idempotent. NOT_FOUND (NAMESPACE_UNKNOWN, ACCOUNT_UNKNOWN),
   * FAILED_PRECONDITION (LAST_OWNER).
   */
  putMember(namespaceId: NamespaceId, member: MemberRow, audit: NewAuditEntry): Promise<void>;
  /** Idempotent. NOT_FOUND (NAMESPACE_UNKNOWN), FAILED_PRECONDITION (LAST_OWNER). */
  removeMember(namespaceId: NamespaceId, account: AccountName, audit: NewAuditEntry): Promise<void>;
  /** The role of an account in a namespace; undefined where it is no member, or there is no such namespace. */
  roleOf(namespaceId: NamespaceId, account: AccountName): Promise<MemberRole | undefined>;
  /** At most `limit` members whose account comes after `after`, by account. */
  listMembers(namespaceId: NamespaceId, after: AccountName | undefined, limit: number): Promise<Page<MemberRow>>;
  /** At most `limit` namespaces of which the account is a member and whose id comes after `after`, by id. */
  listMemberships(account: AccountName, after: NamespaceId | undefined, limit: number): Promise<Page<NamespaceRow>>;
}

/** How agents and devices join, and the keys that sign access tokens. As for audit entries: see AccountStore. */
export interface EnrollmentStore {
  /**
   * Keeps a token that is issued at the time of its audit entry, and forgets those that have expired by then. NOT_FOUND
   * (ACCOUNT_UNKNOWN: it is for a device of such an account), RESOURCE_EXHAUSTED (OVERLOADED) where
   * `trustLimits.enrollmentTokens` wait that have neither been redeemed nor expired, or `enrollmentTokensPerAccount` of
   * them are for devices of the same account.
   */
  createToken(token: EnrollmentTokenRow, audit: NewAuditEntry): Promise<void>;
  /** The token of this id, redeemed or not, expired or not; undefined once it is forgotten. */
  getToken(id: string): Promise<EnrollmentTokenRow | undefined>;
  /**
   * Redeems a token for an agent or device, and makes it known, in one transaction. UNAUTHENTICATED (TOKEN_INVALID) where
   * there is no such token, it is for another kind, account or premises, it has expired by `atMs`, or somebody else has
   * redeemed it; PERMISSION_DENIED (IDENTITY_REVOKED) where the agent or device was revoked, or (ROLE_INSUFFICIENT) where
   * it is known with another account or at other premises; RESOURCE_EXHAUSTED beyond `metadataLimits.agents`. Idempotent:
   * what is known already stays.
   */
  redeemToken(id: string, atMs: number, holder: NewHolder, audit: NewAuditEntry): Promise<void>;
  /** Adds a key. Idempotent: a key never changes, so where one of its id is known nothing is written. */
  putTokenKey(key: TokenKeyRow, audit: NewAuditEntry): Promise<void>;
  /** Idempotent. Not audited. */
  removeTokenKey(id: string): Promise<void>;
  /** By the time from which they are active, then by id. */
  listTokenKeys(): Promise<readonly TokenKeyRow[]>;
}

/** Who redeems a token. */
export type NewHolder =
  | { readonly kind: 'agent'; readonly agent: Pick<AgentRow, 'id' | 'publicKey' | 'premises'> }
  | { readonly kind: 'device'; readonly device: Pick<DeviceRow, 'id' | 'account' | 'displayName'> };

/** Who did what; entries are added by the methods that write, and never change. */
export interface AuditStore {
  /** For what is done outside the store: appends an entry; durable when it resolves. */
  append(entry: NewAuditEntry): Promise<void>;
  /** A part of the log, ascending, after looking at no more than `trustLimits.auditEntriesScanned` entries. */
  list(query: AuditQuery): Promise<AuditSlice>;
}

export interface AuditQuery {
  /** Entries after this one. */
  readonly after: number;
  readonly maxEntries: number;
  readonly namespace: NamespaceName | undefined;
  /** Only entries whose actor is a device of this account, or that were done to it. */
  readonly account: AccountName | undefined;
}

export interface AuditSlice {
  readonly entries: readonly AuditRow[];
  /** Go on after this one. */
  readonly nextSequence: number;
  readonly caughtUp: boolean;
}

/** Agents, namespaces and which agents hold them. As for audit entries: see AccountStore. */
export interface DirectoryStore {
  /** Says where an agent is reached and what it runs. Idempotent. NOT_FOUND (AGENT_UNKNOWN). Not audited. */
  registerAgent(id: AgentId, seen: Pick<AgentRow, 'address' | 'softwareVersion'>): Promise<void>;
  /** Revokes an agent and takes it out of every assignment, whose epochs grow. Idempotent. NOT_FOUND (AGENT_UNKNOWN). */
  revokeAgent(id: AgentId, atMs: number, audit: NewAuditEntry): Promise<AgentRow>;
  /** The agents with these ids, in their order; undefined for one that is not known. */
  getAgents(ids: readonly AgentId[]): Promise<readonly (AgentRow | undefined)[]>;
  /** At most `limit` agents whose id comes after `after`, by id. */
  listAgents(after: AgentId | undefined, limit: number): Promise<Page<AgentRow>>;
  /**
   * Makes a namespace with its first member, its owner. ALREADY_EXISTS (NAMESPACE_EXISTS) where the name is taken, NOT_FOUND
   * (AGENT_UNKNOWN, also for one that was revoked; ACCOUNT_UNKNOWN). Its epoch is 1.
   */
  createNamespace(namespace: NewNamespace, owner: AccountName, audit: NewAuditEntry): Promise<NamespaceRow>;
  /**
   * Says which agents hold a namespace, each once; its epoch grows by one. NOT_FOUND (NAMESPACE_UNKNOWN; AGENT_UNKNOWN, also
   * for one that was revoked).
   */
  setAssignment(id: NamespaceId, agents: readonly AgentId[], audit: NewAuditEntry): Promise<NamespaceRow>;
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
export interface JournalStore extends FeedSource {
  /**
   * Records what `batch.stored` says is where, looks which blocks of the items no assigned agent holds, and writes what
   * `decidePush` makes of it, with `batch.audit` where that moves the feed. NOT_FOUND (NAMESPACE_UNKNOWN, AGENT_UNKNOWN);
   * what `decidePush` raises, raises this.
   */
  commit(namespaceId: NamespaceId, batch: CommitBatch): Promise<PushDecision>;
  /** Where the feed ends; NOT_FOUND (NAMESPACE_UNKNOWN). */
  feedHead(namespaceId: NamespaceId): Promise<FeedHead>;
}

/** How far replicas have seen the feeds, and what is forgotten because all have. docs/merge.md, section 8. */
export interface KnowledgeStore {
  /**
   * Keeps that a replica has seen the feed up to `seen`. Nothing is written where that is known and was noted less than
   * `metadataLimits.replicaNotedMs` ago, nor for one more than `replicasPerNamespace`. NOT_FOUND (NAMESPACE_UNKNOWN),
   * OUT_OF_RANGE (CURSOR_AHEAD).
   */
  note(namespaceId: NamespaceId, replica: ReplicaId, seen: Cursor, atMs: number): Promise<void>;
  /** The replicas of a namespace, by id. Empty where there is no such namespace. */
  list(namespaceId: NamespaceId): Promise<readonly ReplicaRow[]>;
  /**
   * Forgets deletions that nobody has to hear of any more (metadata/feed/compaction.ts), at most
   * `metadataLimits.tombstonesPerStep`, the first ones first: they leave the feed, and their paths have never been. Forgets
   * replicas that have not been heard of for `tombstoneAgeMs`. NOT_FOUND (NAMESPACE_UNKNOWN).
   */
  compact(namespaceId: NamespaceId, atMs: number): Promise<Compaction>;
}

/** What one step of forgetting came to. */
export interface Compaction {
  readonly forgotten: number;
  /** Whether there is nothing more to forget now. */
  readonly isDone: boolean;
}
