import type { AccountName, NamespaceName } from '../../common/ids.js';
import {
  AgentState as WireAgentState,
  type Assignment,
  type Candidate,
} from '../../proto/gen/drystone/metadata/v1/account.js';
import type { AgentState, Fleet } from '../fleet/fleet.js';
import type { MetadataStore } from '../store/contract.js';
import type { NamespaceRow } from '../store/rows.js';
import { namespaceUnknown } from '../store/store-errors.js';
import { membershipsOf } from './memberships.js';

const WIRE_STATES: Readonly<Record<AgentState, WireAgentState>> = {
  online: WireAgentState.ONLINE,
  draining: WireAgentState.DRAINING,
  offline: WireAgentState.OFFLINE,
};

/** An agent's state as it travels. */
export function stateToWire(state: AgentState): WireAgentState {
  return WIRE_STATES[state];
}

/** Which agents hold which namespaces, with what the fleet knows of them now. */
export class Assignments {
  constructor(
    readonly store: Pick<MetadataStore, 'accounts' | 'directory'>,
    readonly fleet: Fleet,
  ) {}

  /**
   * The assignments of the namespaces of which the account is a member, by name: of the one called `name`, or of all.
   * NOT_FOUND (NAMESPACE_UNKNOWN) where it is no member of that one.
   */
  async ofAccount(account: AccountName, name: NamespaceName | undefined): Promise<Assignment[]> {
    const rows =
      name === undefined ? await membershipsOf(this.store.accounts, account) : [await this.#membership(account, name)];
    return Promise.all(rows.map((row) => this.of(row)));
  }

  /** The assignment of one namespace. */
  async of(row: NamespaceRow): Promise<Assignment> {
    const agents = await this.store.directory.getAgents(row.agents);
    const candidates = agents.flatMap((agent): Candidate[] => {
      if (agent === undefined) return [];
      const { id, premises, address } = agent;
      return [{ agentId: id, premises, address, state: stateToWire(this.fleet.statusOf(id).state) }];
    });
    return { namespaceId: row.id, namespaceName: row.name, epoch: BigInt(row.epoch), candidates };
  }

  async #membership(account: AccountName, name: NamespaceName): Promise<NamespaceRow> {
    const row = await this.store.directory.findNamespace(name);
    const role = row === undefined ? undefined : await this.store.accounts.roleOf(row.id, account);
    if (row === undefined || role === undefined) throw namespaceUnknown(name);
    return row;
  }
}
