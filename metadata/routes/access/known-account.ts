import type { AccountName } from '../../../common/ids.js';
import { accountUnknown } from '../../store/store-errors.js';
import type { AccessParts } from './access-parts.js';

/** NOT_FOUND (ACCOUNT_UNKNOWN) where there is no such account: that is no account of which there is nothing to say. */
export async function requireAccount(store: AccessParts['store'], name: AccountName): Promise<void> {
  if ((await store.accounts.getAccount(name)) === undefined) throw accountUnknown(name);
}
