import { EMPTY_FEED } from '../../common/feed/placement.js';
import { idBytes, type AccountName, type AgentId, type NamespaceId, type NamespaceName } from '../../common/ids.js';
import { encodeFeedHead } from '../../common/store/feed-records.js';
import { keysAfter, keysWithPrefix } from '../../common/store/keys.js';
import { copyOf, keyPage, keysOf } from '../../common/store/lmdb-environment.js';
import type { DirectoryStore } from './contract.js';
import type { LmdbAudit } from './lmdb-audit.js';
import type { MetadataEnvironment } from './lmdb-environment.js';
import { idAtEnd } from './lmdb-keys.js';
import type { LmdbRows } from './lmdb-rows.js';
import { changed, unchanged } from './outcome.js';
import type { AgentRow, NamespaceRow, NewAuditEntry, NewNamespace, Page } from './rows.js';
import { agentUnknown, namespaceExists } from './store-errors.js';

/** Agents and namespaces of the LMDB engine. */
export class LmdbDirectory implements DirectoryStore {
  constructor(
    readonly environment: MetadataEnvironment,
    readonly rows: LmdbRows,
    readonly audit: LmdbAudit,
  ) {}

  registerAgent(id: AgentId, seen: Pick<AgentRow, 'address' | 'softwareVersion'>): Promise<void> {
    return this.audit.change({ tell: 'directory' }, () => {
      const { number, agent } = this.rows.knownAgent(id);
      if (agent.address === seen.address && agent.softwareVersion === seen.softwareVersion) return unchanged();
      this.rows.putAgent({ number, agent: { ...agent, ...seen } });
      return changed();
    });
  }

  revokeAgent(id: AgentId, atMs: number, audit: NewAuditEntry): Promise<AgentRow> {
    return this.audit.change({ tell: 'directory', audit }, () => {
      const { number, agent } = this.rows.knownAgent(id);
      if (agent.revokedAtMs !== undefined) return unchanged(agent);
      const row = { ...agent, revokedAtMs: atMs };
      this.rows.putAgent({ number, agent: row });
      this.rows.putCounter('revokedAgents', this.rows.counter('revokedAgents') + 1);
      for (const namespaceId of this.#holdings(id)) {
        const namespace = this.rows.knownNamespace(namespaceId);
        const others = namespace.agents.filter((other) => other !== id);
        this.#assign(namespace, others);
      }
      return changed(row);
    });
  }

  getAgents(ids: readonly AgentId[]): Promise<readonly (AgentRow | undefined)[]> {
    return this.environment.read(() => ids.map((id) => this.rows.agent(id)?.agent));
  }

  listAgents(after: AgentId | undefined, limit: number): Promise<Page<AgentRow>> {
    return this.environment.read(() => {
      const range = keysAfter(after === undefined ? undefined : idBytes(after));
      const { rows: keys, hasMore } = keyPage(this.environment.trees.agents, range, limit);
      return { rows: keys.map((key) => this.rows.knownAgent(idAtEnd<AgentId>(key)).agent), hasMore };
    });
  }

  createNamespace(namespace: NewNamespace, owner: AccountName, audit: NewAuditEntry): Promise<NamespaceRow> {
    const { names, heads } = this.environment.trees;
    return this.audit.change({ tell: 'directory', audit }, () => {
      const name = Buffer.from(namespace.name);
      if (names.doesExist(name)) throw namespaceExists(namespace.name);
      this.#requireAssignable(namespace.agents);
      this.rows.knownAccount(owner);
      const row = { ...namespace, epoch: 1 };
      const key = idBytes(namespace.id);
      this.rows.putNamespace(row, []);
      this.rows.putMember(namespace.id, { account: owner, role: 'owner' });
      void names.put(name, key);
      void heads.put(key, encodeFeedHead(EMPTY_FEED));
      return changed(row);
    });
  }

  setAssignment(id: NamespaceId, agents: readonly AgentId[], audit: NewAuditEntry): Promise<NamespaceRow> {
    return this.audit.change({ tell: 'directory', audit }, () => {
      const namespace = this.rows.knownNamespace(id);
      this.#requireAssignable(agents);
      return changed(this.#assign(namespace, agents));
    });
  }

  getNamespace(id: NamespaceId): Promise<NamespaceRow | undefined> {
    return this.environment.read(() => this.rows.namespace(id));
  }

  findNamespace(name: NamespaceName): Promise<NamespaceRow | undefined> {
    return this.environment.read(() => {
      const id = this.#idOfName(Buffer.from(name));
      return id === undefined ? undefined : this.rows.namespace(id);
    });
  }

  listNamespaces(after: NamespaceName | undefined, limit: number): Promise<Page<NamespaceRow>> {
    return this.environment.read(() => {
      const range = keysAfter(after === undefined ? undefined : Buffer.from(after));
      const { rows: names, hasMore } = keyPage(this.environment.trees.names, range, limit);
      const ids = names.flatMap((name) => this.#idOfName(name) ?? []);
      return { rows: ids.map((id) => this.rows.knownNamespace(id)), hasMore };
    });
  }

  listHoldings(agent: AgentId): Promise<readonly NamespaceRow[]> {
    return this.environment.read(() => this.#holdings(agent).map((id) => this.rows.knownNamespace(id)));
  }

  countHoldings(agents: readonly AgentId[]): Promise<readonly number[]> {
    return this.environment.read(() => agents.map((agent) => this.#holdings(agent).length));
  }

  #idOfName(name: Uint8Array): NamespaceId | undefined {
    const value = this.environment.trees.names.getBinaryFast(name);
    return value === undefined ? undefined : idAtEnd<NamespaceId>(copyOf(value));
  }

  #holdings(agent: AgentId): NamespaceId[] {
    const keys = keysOf(this.environment.trees.holdings, keysWithPrefix(idBytes(agent)));
    return keys.map((key) => idAtEnd<NamespaceId>(key));
  }

  #assign(namespace: NamespaceRow, agents: readonly AgentId[]): NamespaceRow {
    const row = { ...namespace, agents, epoch: namespace.epoch + 1 };
    this.rows.putNamespace(row, namespace.agents);
    return row;
  }

  /** NOT_FOUND (AGENT_UNKNOWN) where one is not known, or was revoked. */
  #requireAssignable(agents: readonly AgentId[]): void {
    for (const id of agents) {
      if (this.rows.knownAgent(id).agent.revokedAtMs !== undefined) throw agentUnknown(id);
    }
  }
}
