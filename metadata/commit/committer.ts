import type { Clock } from '../../common/clock.js';
import { invalidArgument } from '../../common/errors.js';
import { checkEndorsement } from '../../common/feed/endorsement.js';
import type { NewItem } from '../../common/feed/push-items.js';
import type { AgentIdentity, DeviceIdentity } from '../../common/identity/identity.js';
import type { Endorsement } from '../../proto/gen/drystone/feed/v1/feed.js';
import type { NamespaceRow } from '../store/rows.js';
import type { Access } from '../trust/access.js';
import { auditEntry } from '../trust/audit-entry.js';
import type { CommitBatch } from './commit-batch.js';

/** A message of which it is to be found out whose it is. */
export interface Unattributed {
  readonly namespace: NamespaceRow;
  readonly items: readonly NewItem[];
  readonly endorsement: Endorsement | undefined;
}

/**
 * Whose changes a message brings: those of the device that calls, or of the one that has endorsed what an agent passes on,
 * which the audit log is told. An agent's message without items is nobody's.
 *
 * INVALID_ARGUMENT where there is an endorsement and should be none, or the reverse; errors of `checkEndorsement` and
 * `Access.endorser`.
 */
export async function committerOf(
  { access, clock }: { readonly access: Pick<Access, 'endorser'>; readonly clock: Clock },
  caller: AgentIdentity | DeviceIdentity,
  { namespace, items, endorsement }: Unattributed,
): Promise<Pick<CommitBatch, 'committer' | 'isRelayed' | 'audit'>> {
  if (caller.kind === 'device') {
    if (endorsement !== undefined)
      throw invalidArgument('endorsement', 'must not be set: the device speaks for itself');
    return { committer: caller.deviceId };
  }
  if (items.length === 0) {
    if (endorsement !== undefined) throw invalidArgument('endorsement', 'must not be set without items');
    return {};
  }
  if (endorsement === undefined) throw invalidArgument('endorsement', 'must be set: an agent makes no changes itself');
  const encoded = items.map((item) => item.encoded);
  const { device, pushedAtMs } = checkEndorsement(endorsement, { namespaceId: namespace.id, items: encoded });
  const { account } = await access.endorser(device, namespace);
  const audit = auditEntry(clock, caller, {
    action: 'commit.provisional',
    subject: device,
    namespace: namespace.name,
    account,
    facts: { items: String(items.length), pushedAt: new Date(pushedAtMs).toISOString() },
  });
  return { committer: device, isRelayed: true, audit };
}
