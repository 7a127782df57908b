import type { Clock } from '../../common/clock.js';
import type { DeviceIdentity } from '../../common/identity/identity.js';
import { namespaceIdOf, type AccountName, type AgentId, type NamespaceName } from '../../common/ids.js';
import type { Random } from '../../common/random.js';
import type { Fleet } from '../fleet/fleet.js';
import type { MetadataStore } from '../store/contract.js';
import type { AgentRow, MemberRole, NamespaceRow } from '../store/rows.js';
import { auditEntry, type Deed } from '../trust/audit-entry.js';
import { allRows } from './all-rows.js';
import { choosePlacement, type PlacementCandidate } from './placement.js';

const ID_RANDOM_BYTES = 16;
/** As many ids as a fact of the audit log can hold. */
const AGENTS_PER_FACT = 3;

export interface NamespacesParts {
  readonly store: Pick<MetadataStore, 'accounts' | 'directory'>;
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly random: Random;
}

/** Makes namespaces, says which agents hold them, and who their members are. Who may do so is decided before. */
export class Namespaces {
  constructor(readonly parts: NamespacesParts) {}

  /**
   * Makes a namespace of which the caller's account is the owner, and assigns it to `replicas` agents that are online.
   * ALREADY_EXISTS (NAMESPACE_EXISTS), FAILED_PRECONDITION (AGENTS_TOO_FEW).
   */
  async create(caller: DeviceIdentity, name: NamespaceName, replicas: number): Promise<NamespaceRow> {
    const { store, clock, random } = this.parts;
    const agents = choosePlacement(await this.#onlineAgents(), replicas);
    const id = namespaceIdOf(random.bytes(ID_RANDOM_BYTES));
    const facts = { replicas: String(replicas), ...agentFacts(agents) };
    const deed = { action: 'namespace.create', subject: id, namespace: name, account: caller.account, facts } as const;
    const namespace = { id, name, replicas, agents, createdAtMs: clock.nowMs() };
    return store.directory.createNamespace(namespace, caller.account, auditEntry(clock, caller, deed));
  }

  /** Says which agents hold a namespace from now on. NOT_FOUND (NAMESPACE_UNKNOWN, AGENT_UNKNOWN). */
  async assign(caller: DeviceIdentity, { id, name }: NamespaceRow, agents: readonly AgentId[]): Promise<NamespaceRow> {
    const { store, clock } = this.parts;
    const deed = { action: 'namespace.assign', subject: id, namespace: name, facts: agentFacts(agents) } as const;
    return store.directory.setAssignment(id, agents, auditEntry(clock, caller, deed));
  }

  /** Makes an account a member, or gives it another role. NOT_FOUND (ACCOUNT_UNKNOWN), FAILED_PRECONDITION (LAST_OWNER). */
  async share(
    caller: DeviceIdentity,
    { id, name }: NamespaceRow,
    account: AccountName,
    role: MemberRole,
  ): Promise<void> {
    const { store, clock } = this.parts;
    const deed: Deed = { action: 'namespace.share', subject: account, namespace: name, account, facts: { role } };
    await store.accounts.putMember(id, { account, role }, auditEntry(clock, caller, deed));
  }

  /** Ends a membership, where there is one. FAILED_PRECONDITION (LAST_OWNER). */
  async unshare(caller: DeviceIdentity, { id, name }: NamespaceRow, account: AccountName): Promise<void> {
    const { store, clock } = this.parts;
    const deed: Deed = { action: 'namespace.unshare', subject: account, namespace: name, account };
    await store.accounts.removeMember(id, account, auditEntry(clock, caller, deed));
  }

  async #onlineAgents(): Promise<PlacementCandidate[]> {
    const { store, fleet } = this.parts;
    const all = allRows<AgentRow, AgentId>(
      (after, limit) => store.directory.listAgents(after, limit),
      ({ id }) => id,
    );
    const online: PlacementCandidate[] = [];
    for await (const { id, premises, revokedAtMs } of all) {
      const { state, report } = fleet.statusOf(id);
      if (revokedAtMs === undefined && state === 'online' && report !== undefined) {
        online.push({ id, premises, freeBytes: report.freeBytes - report.freeFloorBytes });
      }
    }
    return online;
  }
}

/** The agents as facts of an audit entry, whose length is limited: `agents`, `agents from 4`, … */
function agentFacts(agents: readonly AgentId[]): Record<string, string> {
  const facts: Record<string, string> = {};
  for (let first = 0; first < agents.length; first += AGENTS_PER_FACT) {
    const name = first === 0 ? 'agents' : `agents from ${first + 1}`;
    facts[name] = agents.slice(first, first + AGENTS_PER_FACT).join(' ');
  }
  return facts;
}
