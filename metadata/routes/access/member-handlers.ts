import { parseAccountName, parseNamespaceName } from '../../../common/ids.js';
import { callingDevice } from '../../requests/callers.js';
import { nextPageToken, parsePageSize, parsePageToken } from '../../requests/pages.js';
import type { AccessHandlers, AccessParts } from './access-parts.js';
import { requireAccount } from './known-account.js';
import { memberRoleToWire, parseMemberRole } from './roles.js';

/** AccessService, as far as it is about the members of a namespace: for administrators, and its owners. */
export function memberHandlers({
  access,
  store,
  namespaces,
}: AccessParts): Pick<AccessHandlers, 'shareNamespace' | 'unshareNamespace' | 'listMembers'> {
  return {
    async shareNamespace(request, context) {
      const caller = callingDevice(context);
      const name = parseNamespaceName('namespace_name', request.namespaceName);
      const account = parseAccountName('account', request.account);
      const role = parseMemberRole(request.role);
      await namespaces.share(caller, await access.administrate(caller, name, 'owner'), account, role);
      return {};
    },
    async unshareNamespace(request, context) {
      const caller = callingDevice(context);
      const name = parseNamespaceName('namespace_name', request.namespaceName);
      const account = parseAccountName('account', request.account);
      // Whoever is a member may cease to be one.
      const role = account === caller.account ? 'reader' : 'owner';
      const row = await access.administrate(caller, name, role);
      await requireAccount(store, account);
      await namespaces.unshare(caller, row, account);
      return {};
    },
    async listMembers({ namespaceName, pageSize, pageToken }, context) {
      const name = parseNamespaceName('namespace_name', namespaceName);
      const { id } = await access.administrate(callingDevice(context), name, 'reader');
      const after = parsePageToken(pageToken, parseAccountName);
      const page = await store.accounts.listMembers(id, after, parsePageSize(pageSize));
      return {
        members: page.rows.map(({ account, role }) => ({ account, role: memberRoleToWire(role) })),
        nextPageToken: nextPageToken(page, ({ account }) => account),
      };
    },
  };
}
