import { DrystoneError } from '../../common/errors.js';
import { endorsementInvalid } from '../../common/feed/endorsement.js';
import { describeIdentity, type AgentIdentity, type DeviceIdentity } from '../../common/identity/identity.js';
import type { DeviceId, NamespaceId, NamespaceName } from '../../common/ids.js';
import { metadataLimits } from '../../common/limits.js';
import type { MetadataStore } from '../store/contract.js';
import { memberRoles, type MemberRole, type NamespaceRow } from '../store/rows.js';
import { namespaceUnknown } from '../store/store-errors.js';

/** A namespace, and what the caller is in it. */
export interface Membership {
  readonly namespace: NamespaceRow;
  readonly role: MemberRole;
}

/**
 * Who may do what, as the directory says at the moment of asking: what is revoked or unshared is refused from the next
 * question on. A namespace in which the caller's account is no member is, for the caller, not there.
 */
export class Access {
  /**
   * What was found since the directory last changed, by device and namespace. A change puts a new map in its place, so
   * that a reading which began before it cannot leave behind what no longer holds.
   */
  #memberships = new Map<string, Membership>();

  constructor(readonly store: Pick<MetadataStore, 'accounts' | 'directory' | 'onChange'>) {
    store.onChange(({ kind }) => {
      if (kind === 'directory') this.#memberships = new Map();
    });
  }

  /**
   * The namespace, where the caller's account has `role` in it or one that includes it. NOT_FOUND (NAMESPACE_UNKNOWN),
   * PERMISSION_DENIED (ROLE_INSUFFICIENT), UNAUTHENTICATED (IDENTITY_REVOKED).
   */
  async authorise(caller: DeviceIdentity, id: NamespaceId, role: MemberRole): Promise<NamespaceRow> {
    const { namespace, role: held } = await this.membership(caller, id);
    if (!includes(held, role)) throw roleInsufficient(`${role} of namespace ${namespace.name}`);
    return namespace;
  }

  /**
   * The namespace, where an agent calls to which it is assigned, or a device as for {@link authorise}. For an agent a
   * namespace that it does not hold is not there. Errors as there.
   */
  async authoriseHolder(
    caller: AgentIdentity | DeviceIdentity,
    id: NamespaceId,
    role: MemberRole,
  ): Promise<NamespaceRow> {
    if (caller.kind === 'device') return this.authorise(caller, id, role);
    const [revoked, namespace] = await Promise.all([this.isRevoked(caller), this.store.directory.getNamespace(id)]);
    if (revoked) throw identityRevoked(caller);
    if (namespace?.agents.includes(caller.agentId) !== true) throw namespaceUnknown(id);
    return namespace;
  }

  /**
   * Who a device is whose word somebody else brings, where its account may edit the namespace now. PERMISSION_DENIED:
   * ENDORSEMENT_INVALID where the device is not known or was revoked, ROLE_INSUFFICIENT where its account is no editor.
   */
  async endorser(id: DeviceId, namespace: NamespaceRow): Promise<DeviceIdentity> {
    const device = await this.store.accounts.getDevice(id);
    if (device === undefined || device.revokedAtMs !== undefined) {
      throw endorsementInvalid(`is that of device ${id}, which was revoked or is not known; what it says is lost`);
    }
    const held = await this.store.accounts.roleOf(namespace.id, device.account);
    if (held === undefined || !includes(held, 'editor'))
      throw roleInsufficient(`editor of namespace ${namespace.name}`);
    return { kind: 'device', deviceId: id, account: device.account };
  }

  /** What the caller is in a namespace. Errors as {@link authorise}, but for the role. */
  async membership(caller: DeviceIdentity, id: NamespaceId): Promise<Membership> {
    const membership = await this.#find(caller, id);
    if (membership === undefined) throw namespaceUnknown(id);
    return membership;
  }

  /**
   * The namespace of a name, where the caller is an administrator or, unless it is undefined, has `role` in it. Errors as
   * {@link authorise}; a caller who is neither learns nothing about namespaces.
   */
  async administrate(caller: DeviceIdentity, name: NamespaceName, role: MemberRole | undefined): Promise<NamespaceRow> {
    const isAdministrator = await this.isAdministrator(caller);
    if (!isAdministrator && role === undefined) throw roleInsufficient('administrator');
    const namespace = await this.store.directory.findNamespace(name);
    if (namespace === undefined) throw namespaceUnknown(name);
    if (isAdministrator || role === undefined) return namespace;
    const membership = await this.#find(caller, namespace.id);
    if (membership === undefined) throw namespaceUnknown(name);
    if (!includes(membership.role, role)) throw roleInsufficient(`${role} of namespace ${name}, or administrator`);
    return membership.namespace;
  }

  async isAdministrator({ account }: DeviceIdentity): Promise<boolean> {
    return (await this.store.accounts.getAccount(account))?.role === 'administrator';
  }

  /** PERMISSION_DENIED (ROLE_INSUFFICIENT) where the caller's account is no administrator. */
  async requireAdministrator(caller: DeviceIdentity): Promise<void> {
    if (!(await this.isAdministrator(caller))) throw roleInsufficient('administrator');
  }

  /** Whether an identity was taken away. One that the directory does not know has none either. */
  async isRevoked(identity: AgentIdentity | DeviceIdentity): Promise<boolean> {
    if (identity.kind === 'device') {
      const device = await this.store.accounts.getDevice(identity.deviceId);
      return device?.account !== identity.account || device.revokedAtMs !== undefined;
    }
    const [agent] = await this.store.directory.getAgents([identity.agentId]);
    return agent?.premises !== identity.premises || agent.revokedAtMs !== undefined;
  }

  /** UNAUTHENTICATED (IDENTITY_REVOKED), for calls that go on after they were let in. */
  async requireUnrevoked(identity: AgentIdentity | DeviceIdentity): Promise<void> {
    if (await this.isRevoked(identity)) throw identityRevoked(identity);
  }

  async #find(caller: DeviceIdentity, id: NamespaceId): Promise<Membership | undefined> {
    const memberships = this.#memberships;
    const key = `${caller.deviceId} ${caller.account} ${id}`;
    const known = memberships.get(key);
    if (known !== undefined) return known;
    const [revoked, role, namespace] = await Promise.all([
      this.isRevoked(caller),
      this.store.accounts.roleOf(id, caller.account),
      this.store.directory.getNamespace(id),
    ]);
    if (revoked) throw identityRevoked(caller);
    if (role === undefined || namespace === undefined) return undefined;
    if (memberships.size >= metadataLimits.membershipsRemembered) memberships.clear();
    const membership = { namespace, role };
    memberships.set(key, membership);
    return membership;
  }
}

function includes(held: MemberRole, needed: MemberRole): boolean {
  return memberRoles.indexOf(held) >= memberRoles.indexOf(needed);
}

/** PERMISSION_DENIED: the caller's account would have to be what `needed` says. */
function roleInsufficient(needed: string): DrystoneError {
  const whom = needed === 'administrator' ? 'an administrator' : 'an owner of the namespace, or an administrator';
  const message = `this needs an account that is ${needed}; ask ${whom}`;
  return new DrystoneError('PERMISSION_DENIED', 'ROLE_INSUFFICIENT', message);
}

function identityRevoked(identity: AgentIdentity | DeviceIdentity): DrystoneError {
  const message = `${describeIdentity(identity)} has been revoked; join again with a new key and a new token`;
  return new DrystoneError('UNAUTHENTICATED', 'IDENTITY_REVOKED', message);
}
