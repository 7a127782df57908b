import { formatBytes } from '../../common/format-bytes.js';
import { formatProvisional, modeNames } from '../output/sync-text.js';
import { formatPairs } from '../output/table.js';
import { formatCount, formatNumberOf } from '../output/units.js';
import type { AgentTotals, FleetStatus, FolderDocument, MetadataStatus, OwnDevice } from './fleet-status.js';
import type { NamespaceDocument } from './namespace-view.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** A directory that was asked about by its name. */
export interface AskedDirectory {
  readonly path: string;
  readonly exists: boolean;
}

/**
 * How a fleet is, in a few lines; `nowMs` is the time until which certificates must count. That `asked` is no synced folder is
 * said where there is one.
 */
export function formatStatus(
  { device, metadata, agents, namespaces, folder }: FleetStatus,
  nowMs: number,
  asked?: AskedDirectory,
): string {
  const pairs: [string, string][] = [
    [
      'device',
      device === undefined ? "NOT LOGGED IN: get a token and run 'drystone login'" : formatDevice(device, nowMs),
    ],
    ['metadata', formatMetadata(metadata, device !== undefined)],
  ];
  if (agents !== undefined) pairs.push(['agents', formatAgentTotals(agents)]);
  if (namespaces !== undefined) pairs.push(['namespaces', formatNamespaceTotals(namespaces)]);
  if (folder !== undefined) pairs.push(['folder', formatFolder(folder)]);
  else if (asked !== undefined) pairs.push(['folder', formatNoFolder(asked)]);
  return formatPairs(pairs);
}

function formatDevice({ account, deviceId, certificateExpiresAtMs }: OwnDevice, nowMs: number): string {
  const daysLeft = Math.floor((certificateExpiresAtMs - nowMs) / DAY_MS);
  const left =
    daysLeft < 0 ? 'its certificate HAS ENDED' : `its certificate has ${formatNumberOf(daysLeft, 'day')} left`;
  return `${deviceId} of ${account}; ${left}`;
}

function formatMetadata(metadata: MetadataStatus, isAsked: boolean): string {
  if (!metadata.reachable) return isAsked ? `NOT REACHABLE: ${metadata.problem}` : metadata.problem;
  return `${metadata.address} answers (${metadata.answeredInMs} ms)`;
}

function formatNoFolder({ path, exists }: AskedDirectory): string {
  return exists ? `${path} is NO SYNCED FOLDER, and lies in none` : `${path} DOES NOT EXIST`;
}

function formatAgentTotals(agents: AgentTotals): string {
  const parts = [`${formatCount(agents.online)} online`];
  if (agents.draining > 0) parts.push(`${formatCount(agents.draining)} draining`);
  const gone = agents.offline - agents.unheard;
  if (gone > 0) parts.push(`${formatCount(gone)} OFFLINE`);
  if (agents.unheard > 0) parts.push(`${formatCount(agents.unheard)} NOT HEARD FROM since metadata started`);
  if (agents.online === 0) return parts.join(', ');
  const full = agents.fullPremises.length === 0 ? '' : `; FULL at ${agents.fullPremises.join(', ')}`;
  return `${parts.join(', ')}; ${formatBytes(agents.freeBytes)} free of ${formatBytes(agents.totalBytes)}${full}`;
}

function formatNamespaceTotals(namespaces: readonly NamespaceDocument[]): string {
  const items = namespaces.reduce((sum, { itemCount }) => sum + itemCount, 0);
  const bytes = namespaces.reduce((sum, { itemBytes }) => sum + itemBytes, 0);
  return `${formatCount(namespaces.length)}, with ${formatNumberOf(items, 'item')}, ${formatBytes(bytes)}`;
}

function formatFolder(folder: FolderDocument): string {
  const { root, namespace, namespaceId, behind, syncedBy, mode, itemsProvisional, conflicts } = folder;
  const state =
    behind === undefined
      ? ''
      : behind === 0
        ? ', has seen all changes'
        : `, ${formatNumberOf(behind, 'change')} behind`;
  const connected = mode === undefined || mode === 'online' ? '' : ` (${modeNames[mode]})`;
  const waiting = itemsProvisional === 0 ? '' : `; ${formatProvisional(itemsProvisional)}`;
  const contested =
    conflicts === 0
      ? ''
      : `; ${formatNumberOf(conflicts, 'OPEN CONFLICT', 'OPEN CONFLICTS')}, see 'drystone conflicts ${root}'`;
  const running =
    (syncedBy === undefined ? 'not being synced now' : `being synced by process ${syncedBy}${connected}`) +
    waiting +
    contested;
  const name = namespace ?? namespaceId;
  return name === undefined ? `${root} has never been synced; ${running}` : `${root} is '${name}'${state}; ${running}`;
}
