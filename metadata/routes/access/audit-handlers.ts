import { invalidArgument } from '../../../common/errors.js';
import { parseAccountName, parseNamespaceName } from '../../../common/ids.js';
import type { AuditEntry } from '../../../proto/gen/drystone/metadata/v1/access.js';
import { callingDevice } from '../../requests/callers.js';
import { parsePageSize } from '../../requests/pages.js';
import type { AuditRow } from '../../store/rows.js';
import type { AccessHandlers, AccessParts } from './access-parts.js';
import { requireAccount } from './known-account.js';

/** AccessService, as far as it is about the audit log: for administrators, and owners who ask for their namespace. */
export function auditHandlers({ access, store }: AccessParts): Pick<AccessHandlers, 'listAuditEntries'> {
  return {
    async listAuditEntries(request, context) {
      const caller = callingDevice(context);
      const { namespaceName } = request;
      const namespace = namespaceName === '' ? undefined : parseNamespaceName('namespace_name', namespaceName);
      if (namespace === undefined) await access.requireAdministrator(caller);
      else await access.administrate(caller, namespace, 'owner');
      const account = request.account === '' ? undefined : parseAccountName('account', request.account);
      if (account !== undefined) await requireAccount(store, account);
      const { entries, nextSequence, caughtUp } = await store.audit.list({
        after: parseSequence(request.afterSequence),
        maxEntries: parsePageSize(request.pageSize),
        namespace,
        account,
      });
      return { entries: entries.map(entryToWire), nextSequence: BigInt(nextSequence), caughtUp };
    },
  };
}

function parseSequence(sequence: bigint): number {
  if (sequence > BigInt(Number.MAX_SAFE_INTEGER)) throw invalidArgument('after_sequence', 'must be at most 2^53 - 1');
  return Number(sequence);
}

function entryToWire({ sequence, atMs, actor, action, subject, namespace, facts }: AuditRow): AuditEntry {
  return {
    sequence: BigInt(sequence),
    atMs: BigInt(atMs),
    actor,
    action,
    subject,
    namespaceName: namespace ?? '',
    facts: { ...facts },
  };
}
