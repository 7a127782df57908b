import type { OpenConflict } from '../../client/conflicts/open-conflicts.js';
import type { Resolved } from '../../client/conflicts/resolve-conflict.js';
import { formatTable, printable } from '../output/table.js';
import { formatCount, formatMoment, formatNumberOf } from '../output/units.js';

/** Whose a device is, as far as one may know. */
export interface DeviceName {
  readonly account: string;
  readonly displayName: string;
}

/** An open conflict as `--json` shows it; what is not known is absent. */
export interface ConflictDocument {
  readonly path: string;
  /** Absent while no client has settled it. */
  readonly copy: string | undefined;
  readonly deviceId: string;
  readonly account: string | undefined;
  readonly deviceName: string | undefined;
  /** Milliseconds since 1970 UTC. */
  readonly changedAtMs: number;
  readonly sizeBytes: number | undefined;
}

/** A conflict for `--json`. */
export function conflictDocument(conflict: OpenConflict, devices: ReadonlyMap<string, DeviceName>): ConflictDocument {
  const { path, copy, author: deviceId, changedAtMs, sizeBytes } = conflict;
  const device = devices.get(deviceId);
  const { account, displayName: deviceName } = device ?? {};
  return { path, copy, deviceId, account, deviceName, changedAtMs, sizeBytes };
}

/** Conflicts as a table, and what to do about them. */
export function formatConflicts(conflicts: readonly ConflictDocument[]): string {
  if (conflicts.length === 0) return 'There is no open conflict.';
  const columns = [
    { heading: 'path' },
    { heading: 'whose' },
    { heading: 'changed (utc)' },
    { heading: 'bytes', align: 'right' },
    { heading: 'kept as' },
  ] as const;
  const rows = conflicts.map((conflict) => [
    printable(conflict.path),
    ownerOf(conflict),
    formatMoment(conflict.changedAtMs),
    conflict.sizeBytes === undefined ? '' : formatCount(conflict.sizeBytes),
    conflict.copy === undefined ? '(the next sync of an editor keeps it)' : printable(conflict.copy),
  ]);
  const advice = "end one with 'drystone conflicts resolve PATH --keep mine|theirs|both' in a synced folder";
  return `${formatTable(columns, rows)}\n\n${formatNumberOf(conflicts.length, 'open conflict')}; ${advice}`;
}

/** What was resolved, a line each. */
export function formatResolved(resolved: readonly Resolved[]): string {
  return resolved.map(lineOf).join('\n');
}

function lineOf({ path, copy, keep, keptAs }: Resolved): string {
  switch (keep) {
    case 'mine':
      return `${printable(path)} stays as it is; ${printable(copy)} is removed`;
    case 'theirs':
      return `${printable(copy)} has taken the place of ${printable(path)}`;
    case 'both':
      return `${printable(path)} stays as it is; ${printable(copy)} is called ${printable(keptAs ?? copy)} now`;
  }
}

function ownerOf({ deviceId, account, deviceName }: ConflictDocument): string {
  return account === undefined ? deviceId.slice(0, 8) : `${account} (${printable(deviceName ?? deviceId.slice(0, 8))})`;
}
