import type { AccountName, NamespaceId } from '../../common/ids.js';
import type { AccountStore } from '../store/contract.js';
import type { NamespaceRow } from '../store/rows.js';
import { allRows } from './all-rows.js';

/** All namespaces of which an account is a member, by name. */
export async function membershipsOf(accounts: AccountStore, account: AccountName): Promise<NamespaceRow[]> {
  const all = allRows<NamespaceRow, NamespaceId>(
    (after, limit) => accounts.listMemberships(account, after, limit),
    ({ id }) => id,
  );
  const rows: NamespaceRow[] = [];
  for await (const row of all) rows.push(row);
  return rows.sort((a, b) => (a.name < b.name ? -1 : 1));
}
