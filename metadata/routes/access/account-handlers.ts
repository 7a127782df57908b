import { parseAccountName } from '../../../common/ids.js';
import { AccountRole, type Account } from '../../../proto/gen/drystone/metadata/v1/access.js';
import { callingDevice } from '../../requests/callers.js';
import { nextPageToken, parsePageSize, parsePageToken } from '../../requests/pages.js';
import type { AccountRow } from '../../store/rows.js';
import { auditEntry } from '../../trust/audit-entry.js';
import type { AccessHandlers, AccessParts } from './access-parts.js';
import { accountRoleToWire, parseAccountRole } from './roles.js';

/** AccessService, as far as it is about accounts: for administrators. */
export function accountHandlers({
  access,
  store,
  clock,
}: AccessParts): Pick<AccessHandlers, 'createAccount' | 'setAccountRole' | 'listAccounts'> {
  return {
    async createAccount(request, context) {
      const caller = callingDevice(context);
      await access.requireAdministrator(caller);
      const name = parseAccountName('name', request.name);
      const role = request.role === AccountRole.UNSPECIFIED ? 'member' : parseAccountRole(request.role);
      const account = { name, role, createdAtMs: clock.nowMs() };
      const deed = { action: 'account.create', subject: name, account: name, facts: { role } } as const;
      await store.accounts.createAccount(account, auditEntry(clock, caller, deed));
      return { account: accountToWire(account) };
    },
    async setAccountRole(request, context) {
      const caller = callingDevice(context);
      await access.requireAdministrator(caller);
      const name = parseAccountName('name', request.name);
      const role = parseAccountRole(request.role);
      const deed = { action: 'account.role', subject: name, account: name, facts: { role } } as const;
      const account = await store.accounts.setAccountRole(name, role, auditEntry(clock, caller, deed));
      return { account: accountToWire(account) };
    },
    async listAccounts({ pageSize, pageToken }, context) {
      await access.requireAdministrator(callingDevice(context));
      const after = parsePageToken(pageToken, parseAccountName);
      const page = await store.accounts.listAccounts(after, parsePageSize(pageSize));
      return { accounts: page.rows.map(accountToWire), nextPageToken: nextPageToken(page, ({ name }) => name) };
    },
  };
}

function accountToWire({ name, role, createdAtMs }: AccountRow): Account {
  return { name, role: accountRoleToWire(role), createdAtMs: BigInt(createdAtMs) };
}
