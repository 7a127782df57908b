import { wireLimits } from '../../common/limits.js';
import type { AuditEntry } from '../../proto/gen/drystone/metadata/v1/access.js';
import type { FleetCalls } from './fleet-connection.js';

/** Which entries of the audit log are wanted. */
export interface AuditQuery {
  readonly namespace: string | undefined;
  readonly account: string | undefined;
  /** Only entries after this one. */
  readonly after: number;
  /** Entries at the most. */
  readonly limit: number;
}

/** A part of the audit log. */
export interface AuditPart {
  /** Ascending. */
  readonly entries: readonly AuditEntry[];
  /** Go on after this one. */
  readonly nextSequence: number;
  /** Whether there was none after it. */
  readonly caughtUp: boolean;
}

/** Reads as many entries as are wanted and there; a page of the service may have fewer, or none, and not be the last. */
export async function readAudit(
  { access }: Pick<FleetCalls, 'access'>,
  { namespace, account, after, limit }: AuditQuery,
  signal: AbortSignal,
): Promise<AuditPart> {
  const entries: AuditEntry[] = [];
  let afterSequence = BigInt(after);
  for (;;) {
    const pageSize = Math.min(wireLimits.rowsPerPage, limit - entries.length);
    const request = { afterSequence, namespaceName: namespace ?? '', account: account ?? '', pageSize };
    const page = await access.listAuditEntries(request, { signal });
    entries.push(...page.entries);
    afterSequence = page.nextSequence;
    if (page.caughtUp || entries.length >= limit) {
      return { entries, nextSequence: Number(afterSequence), caughtUp: page.caughtUp };
    }
  }
}
