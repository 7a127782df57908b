import type { AuditEntry } from '../../proto/gen/drystone/metadata/v1/access.js';
import { formatTable, printable } from '../output/table.js';
import { formatMoment } from '../output/units.js';

/** An entry of the audit log as `--json` shows it. */
export interface AuditDocument {
  readonly sequence: number;
  /** Milliseconds since 1970 UTC. */
  readonly atMs: number;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  /** Absent where it was done in none. */
  readonly namespace: string | undefined;
  readonly facts: Readonly<Record<string, string>>;
}

/** An entry as it comes over the wire, for `--json`. */
export function auditDocument({ sequence, atMs, namespaceName, ...said }: AuditEntry): AuditDocument {
  const { actor, action, subject, facts } = said;
  const namespace = namespaceName === '' ? undefined : namespaceName;
  return { sequence: Number(sequence), atMs: Number(atMs), actor, action, subject, namespace, facts };
}

/** Entries as a table. */
export function formatAudit(entries: readonly AuditDocument[]): string {
  if (entries.length === 0) return 'Nothing of the kind was done.';
  const columns = [
    { heading: 'no.', align: 'right' },
    { heading: 'when (utc)' },
    { heading: 'who' },
    { heading: 'what' },
    { heading: 'to' },
    { heading: 'in' },
    { heading: 'facts' },
  ] as const;
  const rows = entries.map(({ sequence, atMs, actor, action, subject, namespace, facts }) => [
    String(sequence),
    formatMoment(atMs),
    actor,
    action,
    subject,
    namespace ?? '',
    Object.entries(facts)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
  ]);
  return formatTable(
    columns,
    rows.map((cells) => cells.map(printable)),
  );
}
