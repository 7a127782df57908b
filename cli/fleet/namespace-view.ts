import { DrystoneError } from '../../common/errors.js';
import { formatBytes } from '../../common/format-bytes.js';
import type { Namespace } from '../../proto/gen/drystone/metadata/v1/admin.js';
import { formatPairs, formatTable } from '../output/table.js';
import { formatCount, formatMoment } from '../output/units.js';
import { agentStateName, type AgentStateName } from './agent-view.js';

/** A namespace as `--json` shows it. */
export interface NamespaceDocument {
  readonly namespaceId: string;
  readonly name: string;
  /** How many agents it asked for. */
  readonly replicas: number;
  /** Grows with every change of its assignment. */
  readonly epoch: number;
  readonly agents: readonly AssignedAgentDocument[];
  /** The feed's last cursor. */
  readonly cursor: number;
  readonly itemCount: number;
  readonly itemBytes: number;
  /** Milliseconds since 1970 UTC. */
  readonly createdAtMs: number;
}

/** An agent to which a namespace is assigned. */
export interface AssignedAgentDocument {
  readonly agentId: string;
  readonly premises: string;
  readonly address: string;
  readonly state: AgentStateName;
}

/** A namespace as it comes over the wire, for `--json`. */
export function namespaceDocument(namespace: Namespace | undefined): NamespaceDocument {
  if (namespace === undefined)
    throw new DrystoneError('INTERNAL', 'INTERNAL', 'the metadata service left the namespace out of its answer');
  const candidates = namespace.assignment?.candidates ?? [];
  return {
    namespaceId: namespace.namespaceId,
    name: namespace.name,
    replicas: namespace.replicas,
    epoch: Number(namespace.assignment?.epoch ?? 0n),
    agents: candidates.map(({ agentId, premises, address, state }) => {
      return { agentId, premises, address, state: agentStateName(state) };
    }),
    cursor: Number(namespace.cursor),
    itemCount: Number(namespace.itemCount),
    itemBytes: Number(namespace.itemBytes),
    createdAtMs: Number(namespace.createdAtMs),
  };
}

/** Namespaces as a table. */
export function formatNamespaces(namespaces: readonly NamespaceDocument[]): string {
  if (namespaces.length === 0) return "There is no namespace yet; make one with 'drystone namespace create NAME'.";
  const columns = [
    { heading: 'name' },
    { heading: 'items', align: 'right' },
    { heading: 'size', align: 'right' },
    { heading: 'cursor', align: 'right' },
    { heading: 'replicas', align: 'right' },
    { heading: 'held at' },
  ] as const;
  const rows = namespaces.map((namespace) => [
    namespace.name,
    formatCount(namespace.itemCount),
    formatBytes(namespace.itemBytes),
    formatCount(namespace.cursor),
    String(namespace.replicas),
    namespace.agents.map(({ premises }) => premises).join(', '),
  ]);
  return formatTable(columns, rows);
}

/** All that is known about one namespace. */
export function formatNamespace(namespace: NamespaceDocument): string {
  const { replicas, agents, epoch } = namespace;
  // Who asked for several would take them for as many copies.
  const copies = agents.length > 1 ? '; each upload goes to one of them, and is not copied to the others yet' : '';
  const facts = formatPairs([
    ['name', namespace.name],
    ['id', namespace.namespaceId],
    ['created', `${formatMoment(namespace.createdAtMs)} UTC`],
    ['items', `${formatCount(namespace.itemCount)}, ${formatBytes(namespace.itemBytes)}`],
    ['cursor', formatCount(namespace.cursor)],
    ['replicas', `${replicas} asked for, ${agents.length} assigned, epoch ${epoch}${copies}`],
  ]);
  const columns = [{ heading: 'agent' }, { heading: 'premises' }, { heading: 'state' }, { heading: 'address' }];
  const rows = agents.map(({ agentId, premises, state, address }) => [agentId, premises, state, address]);
  return `${facts}\n\n${formatTable(columns, rows)}`;
}
