import { trustLimits } from '../../common/limits.js';
import type { AuditQuery, AuditSlice } from './contract.js';
import type { AuditRow } from './rows.js';

/** An audit log, for engines that can look entries up one by one at no cost. */
export interface AuditLogView {
  /** The last sequence handed out. */
  readonly end: number;
  readonly entry: (sequence: number) => AuditRow;
  /** Whether all of the names may stand in an entry; a no is certain. For engines to which that is cheaper than the entry. */
  readonly mayMention: (sequence: number, names: readonly string[]) => boolean;
}

/** See `AuditStore.list`. */
export function readAuditSlice({ end, entry, mayMention }: AuditLogView, query: AuditQuery): AuditSlice {
  const names = [query.namespace, query.account].filter((name) => name !== undefined);
  const scanEnd = Math.min(end, query.after + trustLimits.auditEntriesScanned);
  const entries: AuditRow[] = [];
  let nextSequence = query.after;
  while (nextSequence < scanEnd && entries.length < query.maxEntries) {
    nextSequence++;
    if (!mayMention(nextSequence, names)) continue;
    const row = entry(nextSequence);
    if (isAskedFor(row, query)) entries.push(row);
  }
  return { entries, nextSequence, caughtUp: nextSequence >= end };
}

function isAskedFor(row: AuditRow, { namespace, account }: AuditQuery): boolean {
  if (namespace !== undefined && row.namespace !== namespace) return false;
  return account === undefined || row.account === account || row.actor.startsWith(`device ${account}/`);
}
