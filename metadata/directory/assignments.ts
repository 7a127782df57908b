import { DrystoneError } from '../../common/errors.js';
import type { AccountName, NamespaceName } from '../../common/ids.js';
import { wireLimits } from '../../common/limits.js';
import {
  AgentState as WireAgentState,
  type Assignment,
  type Candidate,
} from '../../proto/gen/drystone/metadata/v1/account.js';
import type { AgentState, Fleet } from '../fleet/fleet.js';
import type { DirectoryStore } from '../store/contract.js';
import type { NamespaceRow } from '../store/rows.js';
import { namespaceUnknown } from '../store/store-errors.js';

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
    readonly directory: DirectoryStore,
    readonly fleet: Fleet,
  ) {}

  /**
   * The assignments that an account may use, by the names of the namespaces: of the one called `name`, or of all. Until
   * namespaces have members every account may use every one. NOT_FOUND (ACCOUNT_UNKNOWN, NAMESPACE_UNKNOWN).
   */
  async ofAccount(account: AccountName, name: NamespaceName | undefined): Promise<Assignment[]> {
    if (!(await this.directory.hasAccount(account))) {
      const message = `there is no account ${account}; it begins with the registration of its first device`;
      throw new DrystoneError('NOT_FOUND', 'ACCOUNT_UNKNOWN', message);
    }
    const rows = name === undefined ? await this.#allNamespaces() : [await this.#namespace(name)];
    return Promise.all(rows.map((row) => this.of(row)));
  }

  /** The assignment of one namespace. */
  async of(row: NamespaceRow): Promise<Assignment> {
    const agents = await this.directory.getAgents(row.agents);
    const candidates = agents.flatMap((agent): Candidate[] => {
      if (agent === undefined) return [];
      const { id, premises, address } = agent;
      return [{ agentId: id, premises, address, state: stateToWire(this.fleet.statusOf(id).state) }];
    });
    return { namespaceId: row.id, namespaceName: row.name, epoch: BigInt(row.epoch), candidates };
  }

  async #namespace(name: NamespaceName): Promise<NamespaceRow> {
    const row = await this.directory.findNamespace(name);
    if (row === undefined) throw namespaceUnknown(name);
    return row;
  }

  async #allNamespaces(): Promise<NamespaceRow[]> {
    const all: NamespaceRow[] = [];
    for (let hasMore = true; hasMore;) {
      const page = await this.directory.listNamespaces(all.at(-1)?.name, wireLimits.rowsPerPage);
      all.push(...page.rows);
      ({ hasMore } = page);
    }
    return all;
  }
}
