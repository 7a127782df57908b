import type { Clock } from '../../common/clock.js';
import { namespaceIdOf, type AgentId, type NamespaceName } from '../../common/ids.js';
import { wireLimits } from '../../common/limits.js';
import type { Random } from '../../common/random.js';
import type { Fleet } from '../fleet/fleet.js';
import type { DirectoryStore } from '../store/contract.js';
import type { NamespaceRow } from '../store/rows.js';
import { namespaceUnknown } from '../store/store-errors.js';
import { choosePlacement, type PlacementCandidate } from './placement.js';

const ID_RANDOM_BYTES = 16;

export interface NamespacesParts {
  readonly directory: DirectoryStore;
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly random: Random;
}

/** Makes namespaces and says which agents hold them. */
export class Namespaces {
  constructor(readonly parts: NamespacesParts) {}

  /**
   * Makes a namespace and assigns it to `replicas` agents that are online. ALREADY_EXISTS (NAMESPACE_EXISTS),
   * FAILED_PRECONDITION (AGENTS_TOO_FEW).
   */
  async create(name: NamespaceName, replicas: number): Promise<NamespaceRow> {
    const { directory, clock, random } = this.parts;
    const agents = choosePlacement(await this.#onlineAgents(), replicas);
    const id = namespaceIdOf(random.bytes(ID_RANDOM_BYTES));
    return directory.createNamespace({ id, name, replicas, agents, createdAtMs: clock.nowMs() });
  }

  /** The namespace of this name; NOT_FOUND (NAMESPACE_UNKNOWN). */
  async find(name: NamespaceName): Promise<NamespaceRow> {
    const row = await this.parts.directory.findNamespace(name);
    if (row === undefined) throw namespaceUnknown(name);
    return row;
  }

  /** Says which agents hold a namespace from now on. NOT_FOUND (NAMESPACE_UNKNOWN, AGENT_UNKNOWN). */
  async assign(name: NamespaceName, agents: readonly AgentId[]): Promise<NamespaceRow> {
    const { id } = await this.find(name);
    return this.parts.directory.setAssignment(id, agents);
  }

  async #onlineAgents(): Promise<PlacementCandidate[]> {
    const { directory, fleet } = this.parts;
    const online: PlacementCandidate[] = [];
    let after: AgentId | undefined;
    for (let hasMore = true; hasMore;) {
      const page = await directory.listAgents(after, wireLimits.rowsPerPage);
      for (const { id, premises } of page.rows) {
        const { state, report } = fleet.statusOf(id);
        if (state === 'online' && report !== undefined) {
          online.push({ id, premises, freeBytes: report.freeBytes - report.freeFloorBytes });
        }
      }
      after = page.rows.at(-1)?.id;
      ({ hasMore } = page);
    }
    return online;
  }
}
