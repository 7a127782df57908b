import type { Clock } from '../../common/clock.js';
import { describeIdentity, type Identity } from '../../common/identity/identity.js';
import type { AccountName, NamespaceName } from '../../common/ids.js';
import type { AuditAction, NewAuditEntry } from '../store/rows.js';

/** Something that is done, as far as it differs from one action to the next. */
export interface Deed {
  readonly action: AuditAction;
  /** What it is done to; never a secret. */
  readonly subject: string;
  readonly namespace?: NamespaceName;
  /** The account that it is done to, where there is one. */
  readonly account?: AccountName;
  /** At most `wireLimits.errorFacts`, of `wireLimits.errorFactBytes` each. */
  readonly facts?: Readonly<Record<string, string>>;
}

/** The entry that says that `actor` does something now. */
export function auditEntry(
  clock: Clock,
  actor: Identity,
  { action, subject, namespace, account, facts = {} }: Deed,
): NewAuditEntry {
  return { atMs: clock.nowMs(), actor: describeIdentity(actor), action, subject, namespace, account, facts };
}
