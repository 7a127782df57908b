import { readFolderStatus, type FolderStatus } from '../../client/folder-status.js';
import type { Clock } from '../../common/clock.js';
import { toDrystoneError } from '../../common/errors.js';
import { listAgents, listNamespaces, withAdmin } from './admin-client.js';
import { agentDocument, type AgentDocument } from './agent-view.js';
import { namespaceDocument, type NamespaceDocument } from './namespace-view.js';

/** How a fleet is: the document of `drystone status --json`. */
export interface FleetStatus {
  readonly metadata: MetadataStatus;
  /** Absent where metadata is not reachable. */
  readonly agents: AgentTotals | undefined;
  readonly namespaces: readonly NamespaceDocument[] | undefined;
  /** Absent where the directory is not a synced one. */
  readonly folder: FolderDocument | undefined;
}

export type MetadataStatus =
  | { readonly address: string; readonly reachable: true; readonly answeredInMs: number }
  | { readonly address: string; readonly reachable: false; readonly problem: string };

/** The agents by state, and the space of those online. */
export interface AgentTotals {
  readonly online: number;
  readonly draining: number;
  readonly offline: number;
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** Premises of the agents that are online but at or below their floor of free space, each once. */
  readonly fullPremises: readonly string[];
}

/** A synced folder, and how far it stands behind its namespace. */
export interface FolderDocument extends FolderStatus {
  /** Absent where metadata is not reachable or does not know the namespace any more. */
  readonly namespace: string | undefined;
  /** Changes of the namespace that this folder has not taken in. */
  readonly behind: number | undefined;
}

/** Asks metadata, and looks at `directory`; that metadata is away is an answer, not an error. */
export async function readStatus(
  address: string,
  directory: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<FleetStatus> {
  const folder = await readFolderStatus(directory);
  try {
    const startedAtMs = clock.monotonicMs();
    return await withAdmin(address, async (admin) => {
      const agents = await listAgents(admin, signal);
      const answeredInMs = Math.round(clock.monotonicMs() - startedAtMs);
      const namespaces = (await listNamespaces(admin, signal)).map(namespaceDocument);
      return {
        metadata: { address, reachable: true, answeredInMs },
        agents: totalsOf(agents.map(agentDocument)),
        namespaces,
        folder: folder && locate(folder, namespaces),
      };
    });
  } catch (thrown) {
    const error = toDrystoneError(thrown);
    if (error.code !== 'UNAVAILABLE' && error.code !== 'DEADLINE_EXCEEDED') throw error;
    return {
      metadata: { address, reachable: false, problem: error.message },
      agents: undefined,
      namespaces: undefined,
      folder: folder && locate(folder, []),
    };
  }
}

/** The agents in numbers. */
export function totalsOf(agents: readonly AgentDocument[]): AgentTotals {
  const inState = (state: AgentDocument['state']): readonly AgentDocument[] =>
    agents.filter((agent) => agent.state === state);
  const online = inState('online');
  const full = online.filter(({ freeBytes, freeFloorBytes }) => freeBytes <= freeFloorBytes);
  return {
    online: online.length,
    draining: inState('draining').length,
    offline: inState('offline').length,
    freeBytes: online.reduce((sum, { freeBytes }) => sum + freeBytes, 0),
    totalBytes: online.reduce((sum, { totalBytes }) => sum + totalBytes, 0),
    fullPremises: [...new Set(full.map(({ premises }) => premises))],
  };
}

function locate(folder: FolderStatus, namespaces: readonly NamespaceDocument[]): FolderDocument {
  const namespace = namespaces.find(({ namespaceId }) => namespaceId === folder.namespaceId);
  const behind = namespace === undefined ? undefined : Math.max(0, namespace.cursor - folder.cursor);
  return { ...folder, namespace: namespace?.name, behind };
}
