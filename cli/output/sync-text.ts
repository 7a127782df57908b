import type { SyncMode, SyncPhase, SyncProgress, SyncSummary } from '../../client/progress.js';
import { formatBytes } from '../../common/format-bytes.js';
import { formatPairs } from './table.js';
import { formatCount, formatDuration, formatNumberOf, formatRate } from './units.js';

const phaseNames: Readonly<Record<SyncPhase, string>> = {
  connecting: 'connecting',
  waiting: 'waiting for the fleet',
  scanning: 'reading the folder',
  syncing: 'syncing',
  quiet: 'up to date',
};

/** How a sync is connected, where it is not as it should be; for people. */
export const modeNames: Readonly<Record<Exclude<SyncMode, 'online'>, string>> = {
  agent: 'metadata is away, an agent stands in',
  peers: 'metadata and agents are away, peers tell each other',
  alone: 'metadata and agents are away',
};

/** What metadata is not known to have, though an agent or peers may. */
export function formatProvisional(count: number): string {
  return `${formatNumberOf(count, 'item')} ${count === 1 ? 'waits' : 'wait'} for metadata`;
}

/**
 * The line that shows how far a sync has come, at most `columns` wide: what matters less is left out first. The rate is
 * of bytes a second; 0 where it is not known yet.
 */
export function formatProgress(progress: SyncProgress, bytesPerSecond: number, columns: number): string {
  const parts = [phaseNames[progress.phase]];
  if (progress.phase === 'syncing' && progress.itemsTotal > 0) {
    parts.push(`${formatCount(progress.itemsDone)}/${formatCount(progress.itemsTotal)} items`);
    parts.push(`${formatBytes(progress.bytesDone)} of ${formatBytes(progress.bytesTotal)}`);
    if (bytesPerSecond > 0) {
      const leftBytes = Math.max(0, progress.bytesTotal - progress.bytesDone);
      parts.push(formatRate(bytesPerSecond), `${formatDuration((leftBytes / bytesPerSecond) * 1000)} left`);
    }
  }
  if (progress.mode !== 'online') parts.push(modeNames[progress.mode]);
  if (progress.itemsProvisional > 0) parts.push(formatProvisional(progress.itemsProvisional));
  let line = parts.join('  ');
  while (line.length > columns && parts.length > 1) {
    parts.pop();
    line = parts.join('  ');
  }
  return line.slice(0, columns);
}

/** What a sync did, in a few lines. */
export function formatSummary(summary: SyncSummary, durationMs: number): string {
  const pairs: [string, string][] = [
    [
      'items',
      `${formatCount(summary.itemsCommitted)} committed, ${formatCount(summary.itemsApplied)} brought here, ` +
        `${formatNumberOf(summary.filesMoved, 'file')} renamed without moving a byte`,
    ],
    [
      'up',
      `${formatNumberOf(summary.blocksAsked, 'block')} asked about, ${formatCount(summary.blocksMissing)} missing, ` +
        `${formatCount(summary.blocksUploaded)} uploaded (${formatBytes(summary.bytesUploaded)}), ` +
        `${formatBytes(summary.bytesSaved)} saved`,
    ],
    [
      'down',
      `${formatNumberOf(summary.filesFetched, 'file')}, ${formatNumberOf(summary.blocksFetched, 'block')} fetched ` +
        `(${formatBytes(summary.bytesFetched)}), ${formatBytes(summary.bytesFromLocal)} found on this disk`,
    ],
    ['took', formatDuration(durationMs)],
  ];
  const peers = describePeers(summary);
  if (peers !== undefined) pairs.splice(3, 0, ['peers', peers]);
  if (summary.mode !== 'online') pairs.push(['mode', modeNames[summary.mode]]);
  if (summary.itemsProvisional > 0) pairs.push(['waiting', formatProvisional(summary.itemsProvisional)]);
  if (summary.conflicts > 0) pairs.push(['conflicts', `${formatCount(summary.conflicts)}; both contents are kept`]);
  if (summary.problems > 0) pairs.push(['problems', `${formatCount(summary.problems)}; left as they are`]);
  return formatPairs(pairs);
}

/** What came from other endpoints and went to them; undefined where nothing did. */
function describePeers(summary: SyncSummary): string | undefined {
  const got = summary.bytesFromSitePeers + summary.bytesFromRemotePeers;
  if (got === 0 && summary.blocksGiven === 0 && summary.peersBanned === 0) return undefined;
  const banned = summary.peersBanned > 0 ? `, ${formatCount(summary.peersBanned)} banned for wrong bytes` : '';
  return (
    `${formatBytes(got)} of it from ${formatNumberOf(summary.peerSessions, 'peer')}; ` +
    `${formatNumberOf(summary.blocksGiven, 'block')} given to others (${formatBytes(summary.bytesGiven)})${banned}`
  );
}

/** What happened since the summary before, in one line; undefined where nothing did. */
export function formatRound(before: SyncSummary, after: SyncSummary): string | undefined {
  const committed = after.itemsCommitted - before.itemsCommitted;
  const applied = after.itemsApplied - before.itemsApplied;
  if (committed === 0 && applied === 0) return undefined;
  const up = `${formatNumberOf(committed, 'item')} committed (${formatBytes(after.bytesUploaded - before.bytesUploaded)} sent)`;
  const down = `${formatNumberOf(applied, 'item')} brought here (${formatBytes(after.bytesFetched - before.bytesFetched)} fetched)`;
  return `up to date: ${[committed > 0 ? up : undefined, applied > 0 ? down : undefined].filter(Boolean).join(', ')}`;
}

/** The summary of a sync that has done nothing. */
export const NOTHING_DONE: SyncSummary = {
  itemsCommitted: 0,
  itemsApplied: 0,
  filesFetched: 0,
  filesMoved: 0,
  blocksAsked: 0,
  blocksMissing: 0,
  blocksUploaded: 0,
  bytesUploaded: 0,
  bytesSaved: 0,
  blocksFetched: 0,
  bytesFetched: 0,
  bytesFromLocal: 0,
  bytesFromSitePeers: 0,
  bytesFromSiteAgents: 0,
  bytesFromOtherAgents: 0,
  bytesFromRemotePeers: 0,
  blocksGiven: 0,
  bytesGiven: 0,
  peersFound: 0,
  peerSessions: 0,
  peersBanned: 0,
  conflicts: 0,
  problems: 0,
  mode: 'online',
  itemsProvisional: 0,
};
