import { idBytes, type AccountName, type DeviceId, type NamespaceId } from '../../common/ids.js';
import { type KeyRange, keysAfter, keysWithPrefix } from '../../common/store/keys.js';
import { keyPage, keysOf } from '../../common/store/lmdb-environment.js';
import type { AccountStore } from './contract.js';
import type { LmdbAudit } from './lmdb-audit.js';
import type { MetadataEnvironment } from './lmdb-environment.js';
import { accountOfMemberKey, idAtEnd, keyOfAccount, memberKey } from './lmdb-keys.js';
import { decodeMemberRole } from './lmdb-records.js';
import type { LmdbRows } from './lmdb-rows.js';
import type { LmdbTokens } from './lmdb-tokens.js';
import { changed, unchanged } from './outcome.js';
import type {
  AccountRole,
  AccountRow,
  DeviceRow,
  MemberRole,
  MemberRow,
  NamespaceRow,
  NewAuditEntry,
  Page,
} from './rows.js';
import { accountExists, deviceUnknown, lastAdministrator, lastOwner } from './store-errors.js';

/** Accounts, devices and members of the LMDB engine. */
export class LmdbAccounts implements AccountStore {
  constructor(
    readonly environment: MetadataEnvironment,
    readonly rows: LmdbRows,
    readonly tokens: LmdbTokens,
    readonly audit: LmdbAudit,
  ) {}

  createAccount(account: AccountRow, audit: NewAuditEntry): Promise<void> {
    return this.audit.change({ tell: 'directory', audit }, () => {
      if (this.rows.account(account.name) !== undefined) throw accountExists(account.name);
      this.rows.putAccount(account);
      return changed();
    });
  }

  setAccountRole(name: AccountName, role: AccountRole, audit: NewAuditEntry): Promise<AccountRow> {
    return this.audit.change({ tell: 'directory', audit }, () => {
      const account = this.rows.knownAccount(name);
      if (account.role === role) return unchanged(account);
      if (account.role === 'administrator') this.#requireAdministratorBeside(name);
      const row = { ...account, role };
      this.rows.putAccount(row);
      return changed(row);
    });
  }

  getAccount(name: AccountName): Promise<AccountRow | undefined> {
    return this.environment.read(() => this.rows.account(name));
  }

  listAccounts(after: AccountName | undefined, limit: number): Promise<Page<AccountRow>> {
    return this.environment.read(() => {
      const range = keysAfter(after === undefined ? undefined : Buffer.from(after));
      const { rows: keys, hasMore } = keyPage(this.environment.trees.accounts, range, limit);
      return { rows: keys.map((key) => this.rows.knownAccount(accountOfKey(key))), hasMore };
    });
  }

  getDevice(id: DeviceId): Promise<DeviceRow | undefined> {
    return this.environment.read(() => this.rows.device(id));
  }

  listDevices(account: AccountName | undefined, after: DeviceId | undefined, limit: number): Promise<Page<DeviceRow>> {
    const { devices, accountDevices } = this.environment.trees;
    const afterId = after === undefined ? undefined : idBytes(after);
    return this.environment.read(() => {
      const { rows: keys, hasMore } =
        account === undefined
          ? keyPage(devices, keysAfter(afterId), limit)
          : keyPage(accountDevices, keysOfAccount(account, afterId), limit);
      return { rows: keys.map((key) => this.#knownDevice(idAtEnd<DeviceId>(key))), hasMore };
    });
  }

  revokeDevice(id: DeviceId, atMs: number, audit: NewAuditEntry): Promise<DeviceRow> {
    return this.audit.change({ tell: 'directory', audit }, () => {
      const device = this.#knownDevice(id);
      if (device.revokedAtMs !== undefined) return unchanged(device);
      const row = { ...device, revokedAtMs: atMs };
      this.rows.putDevice(row);
      this.tokens.forgetWaitingOf(device.account);
      return changed(row);
    });
  }

  putMember(namespaceId: NamespaceId, member: MemberRow, audit: NewAuditEntry): Promise<void> {
    return this.audit.change({ tell: 'directory', audit }, () => {
      const namespace = this.rows.knownNamespace(namespaceId);
      this.rows.knownAccount(member.account);
      const role = this.rows.memberRole(namespaceId, member.account);
      if (role === member.role) return unchanged();
      if (role === 'owner') this.#requireOwnerBeside(namespace, member.account);
      this.rows.putMember(namespaceId, member);
      return changed();
    });
  }

  removeMember(namespaceId: NamespaceId, account: AccountName, audit: NewAuditEntry): Promise<void> {
    return this.audit.change({ tell: 'directory', audit }, () => {
      const namespace = this.rows.knownNamespace(namespaceId);
      const role = this.rows.memberRole(namespaceId, account);
      if (role === undefined) return unchanged();
      if (role === 'owner') this.#requireOwnerBeside(namespace, account);
      this.rows.removeMember(namespaceId, account);
      return changed();
    });
  }

  roleOf(namespaceId: NamespaceId, account: AccountName): Promise<MemberRole | undefined> {
    return this.environment.read(() => this.rows.memberRole(namespaceId, account));
  }

  listMembers(namespaceId: NamespaceId, after: AccountName | undefined, limit: number): Promise<Page<MemberRow>> {
    const { members } = this.environment.trees;
    const prefix = idBytes(namespaceId);
    return this.environment.read(() => {
      const range = keysWithPrefix(prefix, after === undefined ? undefined : memberKey(prefix, after));
      const { rows: keys, hasMore } = keyPage(members, range, limit);
      return { rows: keys.map((key) => this.#memberAt(key)), hasMore };
    });
  }

  listMemberships(account: AccountName, after: NamespaceId | undefined, limit: number): Promise<Page<NamespaceRow>> {
    const { memberships } = this.environment.trees;
    const afterId = after === undefined ? undefined : idBytes(after);
    return this.environment.read(() => {
      const { rows: keys, hasMore } = keyPage(memberships, keysOfAccount(account, afterId), limit);
      return { rows: keys.map((key) => this.rows.knownNamespace(idAtEnd<NamespaceId>(key))), hasMore };
    });
  }

  #knownDevice(id: DeviceId): DeviceRow {
    const device = this.rows.device(id);
    if (device === undefined) throw deviceUnknown(id);
    return device;
  }
  /** The member of a key of the members. */
  #memberAt(key: Uint8Array): MemberRow {
    const role = this.environment.trees.members.getBinaryFast(key);
    if (role === undefined) throw new Error('a member has gone while it was read');
    return { account: accountOfMemberKey(key), role: decodeMemberRole(role) };
  }

  /** FAILED_PRECONDITION (LAST_ADMINISTRATOR) where this is the only one. */
  #requireAdministratorBeside(name: AccountName): void {
    const names = keysOf(this.environment.trees.accounts, keysAfter(undefined)).map(accountOfKey);
    const hasOther = names.some((other) => other !== name && this.rows.account(other)?.role === 'administrator');
    if (!hasOther) throw lastAdministrator(name);
  }

  /** FAILED_PRECONDITION (LAST_OWNER) where the account is the only one. */
  #requireOwnerBeside({ id, name }: NamespaceRow, account: AccountName): void {
    const members = keysOf(this.environment.trees.members, keysWithPrefix(idBytes(id)));
    const hasOther = members
      .map((key) => this.#memberAt(key))
      .some((member) => member.account !== account && member.role === 'owner');
    if (!hasOther) throw lastOwner(account, name);
  }
}

function accountOfKey(key: Uint8Array): AccountName {
  return Buffer.from(key).toString() as AccountName;
}

function keysOfAccount(account: AccountName, after: Uint8Array | undefined): KeyRange {
  return keysWithPrefix(keyOfAccount(account), after === undefined ? undefined : keyOfAccount(account, after));
}
