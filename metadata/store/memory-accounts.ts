import type { AccountName, DeviceId, NamespaceId } from '../../common/ids.js';
import type { AccountStore } from './contract.js';
import type { MemoryNamespace } from './memory-namespace.js';
import { pageOf, type MemoryState } from './memory-state.js';
import { changed, unchanged } from './outcome.js';
import {
  isForDeviceOf,
  type AccountRole,
  type AccountRow,
  type DeviceRow,
  type MemberRole,
  type MemberRow,
  type NamespaceRow,
  type NewAuditEntry,
  type Page,
} from './rows.js';
import { accountExists, deviceUnknown, lastAdministrator, lastOwner } from './store-errors.js';

/** Accounts, devices and members of the memory engine. */
export class MemoryAccounts implements AccountStore {
  constructor(readonly state: MemoryState) {}

  createAccount(account: AccountRow, audit: NewAuditEntry): Promise<void> {
    const { accounts } = this.state;
    return this.state.change({ tell: 'directory', audit }, () => {
      if (accounts.has(account.name)) throw accountExists(account.name);
      accounts.set(account.name, account);
      return changed();
    });
  }

  setAccountRole(name: AccountName, role: AccountRole, audit: NewAuditEntry): Promise<AccountRow> {
    const { accounts } = this.state;
    return this.state.change({ tell: 'directory', audit }, () => {
      const account = this.state.knownAccount(name);
      if (account.role === role) return unchanged(account);
      const isNeeded = account.role === 'administrator' && !this.#hasAdministratorBeside(name);
      if (isNeeded) throw lastAdministrator(name);
      const row = { ...account, role };
      accounts.set(name, row);
      return changed(row);
    });
  }

  getAccount(name: AccountName): Promise<AccountRow | undefined> {
    return this.state.run(() => this.state.accounts.get(name));
  }

  listAccounts(after: AccountName | undefined, limit: number): Promise<Page<AccountRow>> {
    return this.state.run(() => pageOf(this.state.accounts.values(), ({ name }) => name, after, limit));
  }

  getDevice(id: DeviceId): Promise<DeviceRow | undefined> {
    return this.state.run(() => this.state.devices.get(id));
  }

  listDevices(account: AccountName | undefined, after: DeviceId | undefined, limit: number): Promise<Page<DeviceRow>> {
    return this.state.run(() => {
      const devices = [...this.state.devices.values()].filter(
        (device) => account === undefined || device.account === account,
      );
      return pageOf(devices, ({ id }) => id, after, limit);
    });
  }

  revokeDevice(id: DeviceId, atMs: number, audit: NewAuditEntry): Promise<DeviceRow> {
    const { devices, tokens } = this.state;
    return this.state.change({ tell: 'directory', audit }, () => {
      const device = devices.get(id);
      if (device === undefined) throw deviceUnknown(id);
      if (device.revokedAtMs !== undefined) return unchanged(device);
      const row = { ...device, revokedAtMs: atMs };
      devices.set(id, row);
      for (const token of tokens.values()) {
        if (token.redeemedBy === undefined && isForDeviceOf(token, device.account)) tokens.delete(token.id);
      }
      return changed(row);
    });
  }

  putMember(namespaceId: NamespaceId, { account, role }: MemberRow, audit: NewAuditEntry): Promise<void> {
    return this.state.change({ tell: 'directory', audit }, () => {
      const namespace = this.state.knownNamespace(namespaceId);
      this.state.knownAccount(account);
      if (namespace.members.get(account) === role) return unchanged();
      requireOwnerBeside(namespace, account);
      namespace.members.set(account, role);
      return changed();
    });
  }

  removeMember(namespaceId: NamespaceId, account: AccountName, audit: NewAuditEntry): Promise<void> {
    return this.state.change({ tell: 'directory', audit }, () => {
      const namespace = this.state.knownNamespace(namespaceId);
      if (!namespace.members.has(account)) return unchanged();
      requireOwnerBeside(namespace, account);
      namespace.members.delete(account);
      return changed();
    });
  }

  roleOf(namespaceId: NamespaceId, account: AccountName): Promise<MemberRole | undefined> {
    return this.state.run(() => this.state.namespaces.get(namespaceId)?.members.get(account));
  }

  listMembers(namespaceId: NamespaceId, after: AccountName | undefined, limit: number): Promise<Page<MemberRow>> {
    return this.state.run(() => {
      const members = [...(this.state.namespaces.get(namespaceId)?.members ?? [])];
      const rows = members.map(([account, role]): MemberRow => ({ account, role }));
      return pageOf(rows, ({ account }) => account, after, limit);
    });
  }

  listMemberships(account: AccountName, after: NamespaceId | undefined, limit: number): Promise<Page<NamespaceRow>> {
    return this.state.run(() => {
      const namespaces = [...this.state.namespaces.values()].filter(({ members }) => members.has(account));
      return pageOf(
        namespaces.map(({ row }) => row),
        ({ id }) => id,
        after,
        limit,
      );
    });
  }

  #hasAdministratorBeside(name: AccountName): boolean {
    const all = [...this.state.accounts.values()];
    return all.some((account) => account.role === 'administrator' && account.name !== name);
  }
}

/** FAILED_PRECONDITION (LAST_OWNER) where the account is the only owner. */
function requireOwnerBeside({ row, members }: MemoryNamespace, account: AccountName): void {
  if (members.get(account) !== 'owner') return;
  const hasOther = [...members].some(([name, role]) => role === 'owner' && name !== account);
  if (!hasOther) throw lastOwner(account, row.name);
}
