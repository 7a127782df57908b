import { invalidArgument } from '../../common/errors.js';
import { parseAgentId, parseNamespaceName, type AgentId } from '../../common/ids.js';
import { wireLimits } from '../../common/limits.js';
import { serve, type ServedService } from '../../common/rpc/server.js';
import { AdminServiceService, type Agent, type Namespace } from '../../proto/gen/drystone/metadata/v1/admin.js';
import { stateToWire, type Assignments } from '../directory/assignments.js';
import type { Namespaces } from '../directory/namespaces.js';
import type { Fleet } from '../fleet/fleet.js';
import type { MetadataStore } from '../store/contract.js';
import type { AgentRow, NamespaceRow } from '../store/rows.js';

export interface AdminParts {
  readonly store: MetadataStore;
  readonly namespaces: Namespaces;
  readonly assignments: Assignments;
  readonly fleet: Fleet;
}

/** AdminService (proto/drystone/metadata/v1/admin.proto). */
export function adminRoutes(parts: AdminParts): ServedService {
  const { store, namespaces, assignments } = parts;
  const describe = async (row: NamespaceRow): Promise<Namespace> => {
    const { cursor, itemCount, itemBytes } = await store.journal.feedHead(row.id);
    return {
      namespaceId: row.id,
      name: row.name,
      replicas: row.replicas,
      assignment: await assignments.of(row),
      cursor: BigInt(cursor),
      itemCount: BigInt(itemCount),
      itemBytes: BigInt(itemBytes),
      createdAtMs: BigInt(row.createdAtMs),
    };
  };
  return serve(AdminServiceService, {
    async createNamespace({ name, replicas }) {
      const row = await namespaces.create(parseNamespaceName('name', name), parseReplicas(replicas));
      return { namespace: await describe(row) };
    },
    async getNamespace({ name }) {
      return { namespace: await describe(await namespaces.find(parseNamespaceName('name', name))) };
    },
    async listNamespaces({ pageSize, pageToken }) {
      const after = pageToken === '' ? undefined : parseNamespaceName('page_token', pageToken);
      const { rows, hasMore } = await store.directory.listNamespaces(after, parsePageSize(pageSize));
      const last = rows.at(-1)?.name;
      return { namespaces: await Promise.all(rows.map(describe)), nextPageToken: hasMore ? (last ?? '') : '' };
    },
    async setAssignment({ namespaceName, agentIds }) {
      const name = parseNamespaceName('namespace_name', namespaceName);
      return { namespace: await describe(await namespaces.assign(name, parseAgentIds(agentIds))) };
    },
    async listAgents({ pageSize, pageToken }) {
      const after = pageToken === '' ? undefined : parseAgentId('page_token', pageToken);
      const { rows, hasMore } = await store.directory.listAgents(after, parsePageSize(pageSize));
      const counts = await store.directory.countHoldings(rows.map(({ id }) => id));
      const agents = rows.map((row, index) => describeAgent(parts.fleet, row, counts[index] ?? 0));
      return { agents, nextPageToken: hasMore ? (rows.at(-1)?.id ?? '') : '' };
    },
  });
}

function describeAgent(fleet: Fleet, row: AgentRow, namespaceCount: number): Agent {
  const { state, report, lastHeartbeatAtMs } = fleet.statusOf(row.id);
  return {
    agentId: row.id,
    premises: row.premises,
    address: row.address,
    state: stateToWire(state),
    softwareVersion: row.softwareVersion,
    freeBytes: BigInt(report?.freeBytes ?? 0),
    totalBytes: BigInt(report?.totalBytes ?? 0),
    freeFloorBytes: BigInt(report?.freeFloorBytes ?? 0),
    blockCount: BigInt(report?.blockCount ?? 0),
    blockBytes: BigInt(report?.blockBytes ?? 0),
    lastHeartbeatAtMs: BigInt(lastHeartbeatAtMs),
    namespaceCount,
  };
}

function parseReplicas(replicas: number): number {
  if (replicas > wireLimits.replicas) throw invalidArgument('replicas', `must be at most ${wireLimits.replicas}`);
  return replicas === 0 ? 1 : replicas;
}

function parsePageSize(pageSize: number): number {
  if (pageSize > wireLimits.rowsPerPage)
    throw invalidArgument('page_size', `must be at most ${wireLimits.rowsPerPage}`);
  return pageSize === 0 ? wireLimits.rowsPerPage : pageSize;
}

function parseAgentIds(ids: readonly string[]): AgentId[] {
  if (ids.length === 0 || ids.length > wireLimits.replicas) {
    throw invalidArgument('agent_ids', `must be 1 to ${wireLimits.replicas} agents`);
  }
  const parsed = ids.map((id, index) => parseAgentId(`agent_ids[${index}]`, id));
  if (new Set(parsed).size < parsed.length) throw invalidArgument('agent_ids', 'must name each agent once');
  return parsed;
}
