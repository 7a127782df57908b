import { openDevice, type Device } from '../../client/connection/device.js';
import { countCopies } from '../../client/conflicts/open-conflicts.js';
import { readFolderStatus, type FolderStatus } from '../../client/folder-status.js';
import { withFolderView } from '../../client/folder-view.js';
import type { Clock } from '../../common/clock.js';
import { DrystoneError, toDrystoneError } from '../../common/errors.js';
import { agentDocument, type AgentDocument } from './agent-view.js';
import { withFleet, type FleetCalls } from './fleet-connection.js';
import { listAgents, listNamespaces } from './listings.js';
import { metadataAddress, type FleetSettings } from './login-record.js';
import { namespaceDocument, type NamespaceDocument } from './namespace-view.js';

/** How a fleet is, as far as this device may know: the document of `drystone status --json`. */
export interface FleetStatus {
  /** Absent where it has not logged in. */
  readonly device: OwnDevice | undefined;
  readonly metadata: MetadataStatus;
  /** Absent where metadata was not reached, or does not tell this account. */
  readonly agents: AgentTotals | undefined;
  /** Those that the account may see; absent where metadata was not reached. */
  readonly namespaces: readonly NamespaceDocument[] | undefined;
  /** Absent where the directory is not a synced one. */
  readonly folder: FolderDocument | undefined;
}

/** Who asks. */
export interface OwnDevice {
  readonly account: string;
  readonly deviceId: string;
  /** Milliseconds since 1970 UTC. */
  readonly certificateExpiresAtMs: number;
}

export type MetadataStatus =
  | { readonly address: string; readonly reachable: true; readonly answeredInMs: number }
  | { readonly address: string; readonly reachable: false; readonly problem: string };

/** The agents by state, and the space of those online. */
export interface AgentTotals {
  readonly online: number;
  readonly draining: number;
  readonly offline: number;
  /** Of those offline: how many metadata has not heard from since it started, and so cannot say more of. */
  readonly unheard: number;
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** Premises of the agents that are online but at or below their floor of free space, each once. */
  readonly fullPremises: readonly string[];
}

/** A synced folder, as its own state tells. */
interface FolderFacts extends FolderStatus {
  /** How many conflicted copies lie in it beside their file; what no client has settled yet has none. */
  readonly conflicts: number;
}

/** A synced folder, and how far it stands behind its namespace. */
export interface FolderDocument extends FolderFacts {
  /**
   * Changes of the namespace that this folder has not taken in; absent where metadata was not reached or knows no such namespace of
   * this account.
   */
  readonly behind: number | undefined;
}

/**
 * Asks metadata, and looks at `directory`. That metadata is away, or that the device has never logged in, is an answer and
 * not an error.
 */
export async function readStatus(
  settings: FleetSettings,
  directory: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<FleetStatus> {
  const folder = await readFolder(directory);
  const address = await metadataAddress(settings);
  const device = await findDevice(settings.home);
  const withoutMetadata = (problem: string): FleetStatus => ({
    device: device && describeDevice(device),
    metadata: { address, reachable: false, problem },
    agents: undefined,
    namespaces: undefined,
    folder: folder && locate(folder, []),
  });
  if (device === undefined) return withoutMetadata('not asked, because this device has not logged in');
  try {
    const startedAtMs = clock.monotonicMs();
    return await withFleet(settings, async (fleet) => {
      const namespaces = (await listNamespaces(fleet, signal)).map(namespaceDocument);
      const answeredInMs = Math.round(clock.monotonicMs() - startedAtMs);
      return {
        device: describeDevice(device),
        metadata: { address, reachable: true, answeredInMs },
        agents: await readAgents(fleet, signal),
        namespaces,
        folder: folder && locate(folder, namespaces),
      };
    });
  } catch (thrown) {
    const error = toDrystoneError(thrown);
    if (error.code !== 'UNAVAILABLE' && error.code !== 'DEADLINE_EXCEEDED') throw error;
    return withoutMetadata(error.message);
  }
}

async function readFolder(directory: string): Promise<FolderFacts | undefined> {
  const status = await readFolderStatus(directory);
  // One that was begun and never reached its namespace may have no more of a state than that.
  if (status?.namespaceId === undefined) return status && { ...status, conflicts: 0 };
  const conflicts = await withFolderView(status.root, (folder) => {
    return folder === undefined ? 0 : countCopies(folder.trees);
  });
  return { ...status, conflicts };
}

async function findDevice(home: string): Promise<Device | undefined> {
  try {
    return await openDevice(home);
  } catch (thrown) {
    if (thrown instanceof DrystoneError && thrown.reason === 'IDENTITY_MISSING') return undefined;
    throw thrown;
  }
}

function describeDevice({ account, id, held }: Device): OwnDevice {
  return { account, deviceId: id, certificateExpiresAtMs: held.credential.expiresAtMs };
}

/** The agents, which are the business of administrators: undefined for anybody else. */
async function readAgents(fleet: FleetCalls, signal: AbortSignal): Promise<AgentTotals | undefined> {
  try {
    return totalsOf((await listAgents(fleet, signal)).map(agentDocument));
  } catch (thrown) {
    if (thrown instanceof DrystoneError && thrown.code === 'PERMISSION_DENIED') return undefined;
    throw thrown;
  }
}

/** The agents in numbers. */
export function totalsOf(agents: readonly AgentDocument[]): AgentTotals {
  const inState = (state: AgentDocument['state']): readonly AgentDocument[] =>
    agents.filter((agent) => agent.state === state);
  const [online, offline] = [inState('online'), inState('offline')];
  const full = agents.filter(({ full }) => full);
  return {
    online: online.length,
    draining: inState('draining').length,
    offline: offline.length,
    unheard: offline.filter(({ lastHeartbeatAtMs }) => lastHeartbeatAtMs === undefined).length,
    freeBytes: online.reduce((sum, { freeBytes }) => sum + freeBytes, 0),
    totalBytes: online.reduce((sum, { totalBytes }) => sum + totalBytes, 0),
    fullPremises: [...new Set(full.map(({ premises }) => premises))],
  };
}

function locate(folder: FolderFacts, namespaces: readonly NamespaceDocument[]): FolderDocument {
  const namespace = namespaces.find(({ namespaceId }) => namespaceId === folder.namespaceId);
  const behind = namespace === undefined ? undefined : Math.max(0, namespace.cursor - folder.cursor);
  return { ...folder, namespace: namespace?.name ?? folder.namespace, behind };
}
