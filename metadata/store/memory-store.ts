import { hashCount } from '../../common/block-hash.js';
import { InFlightGate } from '../../common/concurrency/in-flight-gate.js';
import type { AccountName, AgentId, DeviceId, NamespaceId, NamespaceName } from '../../common/ids.js';
import { metadataLimits } from '../../common/limits.js';
import type { CommitBatch, CommitDecision } from '../commit/decide.js';
import { ChangeListeners } from './change-listeners.js';
import type {
  DirectoryStore,
  FeedQuery,
  FeedSlice,
  JournalStore,
  MetadataStore,
  PresenceStore,
  StoreChange,
  StoreStats,
} from './contract.js';
import { MemoryNamespace } from './memory-namespace.js';
import type { AgentRow, DeviceRow, FeedHead, NamespaceRow, NewNamespace, Page } from './rows.js';
import {
  agentUnknown,
  deviceOfOtherAccount,
  namespaceExists,
  namespaceUnknown,
  tooManyAgents,
} from './store-errors.js';

/** A store that forgets everything when the process ends: for tests, and to see what the contract asks of an engine. */
export function createMemoryStore(): MetadataStore {
  return new MemoryStore();
}

class MemoryStore implements MetadataStore, DirectoryStore, PresenceStore, JournalStore {
  readonly directory: DirectoryStore = this;
  readonly presence: PresenceStore = this;
  readonly journal: JournalStore = this;
  readonly #gate = new InFlightGate('the metadata store');
  readonly #listeners = new ChangeListeners();
  readonly #accounts = new Set<AccountName>();
  readonly #devices = new Map<DeviceId, DeviceRow>();
  readonly #agents = new Map<AgentId, AgentRow>();
  readonly #namespaces = new Map<NamespaceId, MemoryNamespace>();

  putDevice(device: DeviceRow): Promise<void> {
    return this.#look(() => {
      const known = this.#devices.get(device.id);
      if (known !== undefined && known.account !== device.account) throw deviceOfOtherAccount(device.id);
      this.#accounts.add(device.account);
      this.#devices.set(device.id, device);
    });
  }

  hasAccount(account: AccountName): Promise<boolean> {
    return this.#look(() => this.#accounts.has(account));
  }

  putAgent(agent: AgentRow): Promise<void> {
    return this.#change(() => {
      if (!this.#agents.has(agent.id) && this.#agents.size >= metadataLimits.agents) throw tooManyAgents();
      this.#agents.set(agent.id, agent);
    });
  }

  getAgents(ids: readonly AgentId[]): Promise<readonly (AgentRow | undefined)[]> {
    return this.#look(() => ids.map((id) => this.#agents.get(id)));
  }

  listAgents(after: AgentId | undefined, limit: number): Promise<Page<AgentRow>> {
    return this.#look(() => pageOf([...this.#agents.values()], ({ id }) => id, after, limit));
  }

  createNamespace(namespace: NewNamespace): Promise<NamespaceRow> {
    return this.#change(() => {
      if (this.#byName(namespace.name) !== undefined) throw namespaceExists(namespace.name);
      this.#checkAgents(namespace.agents);
      const row = { ...namespace, epoch: 1 };
      this.#namespaces.set(namespace.id, new MemoryNamespace(row));
      return row;
    });
  }

  setAssignment(id: NamespaceId, agents: readonly AgentId[]): Promise<NamespaceRow> {
    return this.#change(() => {
      const namespace = this.#namespace(id);
      this.#checkAgents(agents);
      namespace.row = { ...namespace.row, agents, epoch: namespace.row.epoch + 1 };
      return namespace.row;
    });
  }

  getNamespace(id: NamespaceId): Promise<NamespaceRow | undefined> {
    return this.#look(() => this.#namespaces.get(id)?.row);
  }

  findNamespace(name: NamespaceName): Promise<NamespaceRow | undefined> {
    return this.#look(() => this.#byName(name));
  }

  listNamespaces(after: NamespaceName | undefined, limit: number): Promise<Page<NamespaceRow>> {
    return this.#look(() => pageOf(this.#rows(), ({ name }) => name, after, limit));
  }

  listHoldings(agent: AgentId): Promise<readonly NamespaceRow[]> {
    return this.#look(() => this.#holdings(agent).sort((a, b) => (a.id < b.id ? -1 : 1)));
  }

  countHoldings(agents: readonly AgentId[]): Promise<readonly number[]> {
    return this.#look(() => agents.map((agent) => this.#holdings(agent).length));
  }

  findMissing(namespaceId: NamespaceId, agent: AgentId, hashes: Uint8Array): Promise<Uint8Array> {
    return this.#look(() => {
      const namespace = this.#namespaces.get(namespaceId);
      return namespace === undefined ? hashes : Buffer.concat(namespace.missing(agent, hashes));
    });
  }

  countMissing(namespaceId: NamespaceId, agents: readonly AgentId[], hashes: Uint8Array): Promise<readonly number[]> {
    return this.#look(() => {
      const namespace = this.#namespaces.get(namespaceId);
      return agents.map((agent) => namespace?.missing(agent, hashes).length ?? hashCount(hashes));
    });
  }

  async commit(namespaceId: NamespaceId, batch: CommitBatch): Promise<CommitDecision> {
    const decision = await this.#look(() => {
      this.#checkAgents(batch.stored.map(({ agent }) => agent));
      return this.#namespace(namespaceId).commit(batch);
    });
    if (decision.writes.length > 0) {
      this.#listeners.tell({ kind: 'feed', namespaceId, cursor: decision.feed.cursor });
    }
    return decision;
  }

  feedHead(namespaceId: NamespaceId): Promise<FeedHead> {
    return this.#look(() => this.#namespace(namespaceId).feed);
  }

  readFeed(namespaceId: NamespaceId, query: FeedQuery): Promise<FeedSlice> {
    return this.#look(() => this.#namespace(namespaceId).readFeed(query));
  }

  stats(): Promise<StoreStats> {
    return this.#look(() => {
      const all = [...this.#namespaces.values()];
      return {
        namespaces: all.length,
        agents: this.#agents.size,
        presenceRows: all.reduce((sum, { presence }) => sum + presence.size, 0),
        journalEntries: all.reduce((sum, { journal }) => sum + journal.length, 0),
        fileBytes: 0,
      };
    });
  }

  onChange(listener: (change: StoreChange) => void): () => void {
    return this.#listeners.add(listener);
  }

  close(): Promise<void> {
    return this.#gate.close(() => Promise.resolve());
  }

  #look<T>(work: () => T): Promise<T> {
    return this.#gate.run(async () => work());
  }

  async #change<T>(work: () => T): Promise<T> {
    const result = await this.#look(work);
    this.#listeners.tell({ kind: 'directory' });
    return result;
  }

  #rows(): NamespaceRow[] {
    return [...this.#namespaces.values()].map(({ row }) => row);
  }

  #byName(name: NamespaceName): NamespaceRow | undefined {
    return this.#rows().find((row) => row.name === name);
  }

  #holdings(agent: AgentId): NamespaceRow[] {
    return this.#rows().filter(({ agents }) => agents.includes(agent));
  }

  #namespace(id: NamespaceId): MemoryNamespace {
    const namespace = this.#namespaces.get(id);
    if (namespace === undefined) throw namespaceUnknown(id);
    return namespace;
  }

  #checkAgents(agents: readonly AgentId[]): void {
    const unknown = agents.find((agent) => !this.#agents.has(agent));
    if (unknown !== undefined) throw agentUnknown(unknown);
  }
}

function pageOf<Row, Key extends string>(
  rows: Row[],
  keyOf: (row: Row) => Key,
  after: Key | undefined,
  limit: number,
): Page<Row> {
  const rest = rows
    .filter((row) => after === undefined || keyOf(row) > after)
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  return { rows: rest.slice(0, limit), hasMore: rest.length > limit };
}
