import type { AccountName, AgentId, NamespaceId, NamespaceName } from '../../common/ids.js';
import type { DirectoryStore } from './contract.js';
import { MemoryNamespace } from './memory-namespace.js';
import { pageOf, type MemoryState } from './memory-state.js';
import { changed, unchanged } from './outcome.js';
import type { AgentRow, NamespaceRow, NewAuditEntry, NewNamespace, Page } from './rows.js';
import { agentUnknown, namespaceExists } from './store-errors.js';

/** Agents and namespaces of the memory engine. */
export class MemoryDirectory implements DirectoryStore {
  constructor(readonly state: MemoryState) {}

  registerAgent(id: AgentId, seen: Pick<AgentRow, 'address' | 'softwareVersion'>): Promise<void> {
    return this.state.change({ tell: 'directory' }, () => {
      const agent = this.state.knownAgent(id);
      if (agent.address === seen.address && agent.softwareVersion === seen.softwareVersion) return unchanged();
      this.state.agents.set(id, { ...agent, ...seen });
      return changed();
    });
  }

  revokeAgent(id: AgentId, atMs: number, audit: NewAuditEntry): Promise<AgentRow> {
    return this.state.change({ tell: 'directory', audit }, () => {
      const agent = this.state.knownAgent(id);
      if (agent.revokedAtMs !== undefined) return unchanged(agent);
      const row = { ...agent, revokedAtMs: atMs };
      this.state.agents.set(id, row);
      for (const { id: namespaceId, agents } of this.#holdings(id)) {
        const others = agents.filter((other) => other !== id);
        this.#assign(this.state.knownNamespace(namespaceId), others);
      }
      return changed(row);
    });
  }

  getAgents(ids: readonly AgentId[]): Promise<readonly (AgentRow | undefined)[]> {
    return this.state.run(() => ids.map((id) => this.state.agents.get(id)));
  }

  listAgents(after: AgentId | undefined, limit: number): Promise<Page<AgentRow>> {
    return this.state.run(() => pageOf(this.state.agents.values(), ({ id }) => id, after, limit));
  }

  createNamespace(namespace: NewNamespace, owner: AccountName, audit: NewAuditEntry): Promise<NamespaceRow> {
    return this.state.change({ tell: 'directory', audit }, () => {
      if (this.state.namespaceNamed(namespace.name) !== undefined) throw namespaceExists(namespace.name);
      this.#requireAssignable(namespace.agents);
      this.state.knownAccount(owner);
      const made = new MemoryNamespace({ ...namespace, epoch: 1 });
      made.members.set(owner, 'owner');
      this.state.namespaces.set(namespace.id, made);
      return changed(made.row);
    });
  }

  setAssignment(id: NamespaceId, agents: readonly AgentId[], audit: NewAuditEntry): Promise<NamespaceRow> {
    return this.state.change({ tell: 'directory', audit }, () => {
      const namespace = this.state.knownNamespace(id);
      this.#requireAssignable(agents);
      this.#assign(namespace, agents);
      return changed(namespace.row);
    });
  }

  getNamespace(id: NamespaceId): Promise<NamespaceRow | undefined> {
    return this.state.run(() => this.state.namespaces.get(id)?.row);
  }

  findNamespace(name: NamespaceName): Promise<NamespaceRow | undefined> {
    return this.state.run(() => this.state.namespaceNamed(name));
  }

  listNamespaces(after: NamespaceName | undefined, limit: number): Promise<Page<NamespaceRow>> {
    return this.state.run(() => pageOf(this.state.namespaceRows(), ({ name }) => name, after, limit));
  }

  listHoldings(agent: AgentId): Promise<readonly NamespaceRow[]> {
    return this.state.run(() => this.#holdings(agent).sort((a, b) => (a.id < b.id ? -1 : 1)));
  }

  countHoldings(agents: readonly AgentId[]): Promise<readonly number[]> {
    return this.state.run(() => agents.map((agent) => this.#holdings(agent).length));
  }

  #holdings(agent: AgentId): NamespaceRow[] {
    return this.state.namespaceRows().filter(({ agents }) => agents.includes(agent));
  }

  #assign(namespace: MemoryNamespace, agents: readonly AgentId[]): void {
    namespace.row = { ...namespace.row, agents, epoch: namespace.row.epoch + 1 };
  }

  /** NOT_FOUND (AGENT_UNKNOWN) where one is not known, or was revoked. */
  #requireAssignable(agents: readonly AgentId[]): void {
    for (const id of agents) {
      if (this.state.knownAgent(id).revokedAtMs !== undefined) throw agentUnknown(id);
    }
  }
}
