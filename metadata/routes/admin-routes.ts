import { invalidArgument } from '../../common/errors.js';
import type { DeviceIdentity } from '../../common/identity/identity.js';
import { parseAgentId, parseNamespaceName, type AgentId, type NamespaceName } from '../../common/ids.js';
import { wireLimits } from '../../common/limits.js';
import { serve, type ServedService } from '../../common/rpc/server.js';
import { AdminServiceService, type Agent, type Namespace } from '../../proto/gen/drystone/metadata/v1/admin.js';
import { stateToWire, type Assignments } from '../directory/assignments.js';
import { membershipsOf } from '../directory/memberships.js';
import type { Namespaces } from '../directory/namespaces.js';
import type { Fleet } from '../fleet/fleet.js';
import { callingDevice } from '../requests/callers.js';
import { nextPageToken, parsePageSize, parsePageToken } from '../requests/pages.js';
import type { MetadataStore } from '../store/contract.js';
import type { AgentRow, NamespaceRow, Page } from '../store/rows.js';
import type { Access } from '../trust/access.js';

export interface AdminParts {
  readonly access: Access;
  readonly store: MetadataStore;
  readonly namespaces: Namespaces;
  readonly assignments: Assignments;
  readonly fleet: Fleet;
}

/** AdminService (proto/drystone/metadata/v1/admin.proto). */
export function adminRoutes(parts: AdminParts): ServedService {
  const { access, store, namespaces } = parts;
  const describe = (row: NamespaceRow): Promise<Namespace> => describeNamespace(parts, row);
  return serve(
    AdminServiceService,
    {
      async createNamespace({ name, replicas }, context) {
        const caller = callingDevice(context);
        await access.requireAdministrator(caller);
        const row = await namespaces.create(caller, parseNamespaceName('name', name), parseReplicas(replicas));
        return { namespace: await describe(row) };
      },
      async getNamespace({ name }, context) {
        const row = await access.administrate(callingDevice(context), parseNamespaceName('name', name), 'reader');
        return { namespace: await describe(row) };
      },
      async listNamespaces({ pageSize, pageToken }, context) {
        const after = parsePageToken(pageToken, parseNamespaceName);
        const page = await listNamespaces(parts, callingDevice(context), after, parsePageSize(pageSize));
        return {
          namespaces: await Promise.all(page.rows.map(describe)),
          nextPageToken: nextPageToken(page, ({ name }) => name),
        };
      },
      async setAssignment({ namespaceName, agentIds }, context) {
        const caller = callingDevice(context);
        const name = parseNamespaceName('namespace_name', namespaceName);
        const row = await access.administrate(caller, name, undefined);
        return { namespace: await describe(await namespaces.assign(caller, row, parseAgentIds(agentIds))) };
      },
      async listAgents({ pageSize, pageToken }, context) {
        await access.requireAdministrator(callingDevice(context));
        const after = parsePageToken(pageToken, parseAgentId);
        const page = await store.directory.listAgents(after, parsePageSize(pageSize));
        const present = page.rows.filter(({ revokedAtMs }) => revokedAtMs === undefined);
        const counts = await store.directory.countHoldings(present.map(({ id }) => id));
        return {
          agents: present.map((row, index) => describeAgent(parts.fleet, row, counts[index] ?? 0)),
          nextPageToken: nextPageToken(page, ({ id }) => id),
        };
      },
    },
    {
      audience: {
        createNamespace: 'device',
        getNamespace: 'device',
        listNamespaces: 'device',
        setAssignment: 'device',
        listAgents: 'device',
      },
    },
  );
}

/** The namespaces that the caller may know of, by name: an administrator all, others those of which they are members. */
async function listNamespaces(
  { access, store }: AdminParts,
  caller: DeviceIdentity,
  after: NamespaceName | undefined,
  limit: number,
): Promise<Page<NamespaceRow>> {
  if (await access.isAdministrator(caller)) return store.directory.listNamespaces(after, limit);
  const all = await membershipsOf(store.accounts, caller.account);
  const rest = all.filter(({ name }) => after === undefined || name > after);
  return { rows: rest.slice(0, limit), hasMore: rest.length > limit };
}

async function describeNamespace({ store, assignments }: AdminParts, row: NamespaceRow): Promise<Namespace> {
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

function parseAgentIds(ids: readonly string[]): AgentId[] {
  if (ids.length === 0 || ids.length > wireLimits.replicas) {
    throw invalidArgument('agent_ids', `must be 1 to ${wireLimits.replicas} agents`);
  }
  const parsed = ids.map((id, index) => parseAgentId(`agent_ids[${index}]`, id));
  if (new Set(parsed).size < parsed.length) throw invalidArgument('agent_ids', 'must name each agent once');
  return parsed;
}
