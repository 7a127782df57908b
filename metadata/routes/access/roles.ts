import { invalidArgument } from '../../../common/errors.js';
import {
  AccountRole as WireAccountRole,
  MemberRole as WireMemberRole,
} from '../../../proto/gen/drystone/metadata/v1/access.js';
import type { AccountRole, MemberRole } from '../../store/rows.js';

const ACCOUNT_ROLES: Readonly<Record<AccountRole, WireAccountRole>> = {
  member: WireAccountRole.MEMBER,
  administrator: WireAccountRole.ADMINISTRATOR,
};
const MEMBER_ROLES: Readonly<Record<MemberRole, WireMemberRole>> = {
  reader: WireMemberRole.READER,
  editor: WireMemberRole.EDITOR,
  owner: WireMemberRole.OWNER,
};

/** Roles as they travel. */
export const accountRoleToWire = (role: AccountRole): WireAccountRole => ACCOUNT_ROLES[role];
export const memberRoleToWire = (role: MemberRole): WireMemberRole => MEMBER_ROLES[role];

/** A role off the wire; INVALID_ARGUMENT where it is none. */
export function parseAccountRole(role: WireAccountRole): AccountRole {
  return roleOf(ACCOUNT_ROLES, role);
}

/** As {@link parseAccountRole}. */
export function parseMemberRole(role: WireMemberRole): MemberRole {
  return roleOf(MEMBER_ROLES, role);
}

function roleOf<Role extends string>(wireRoles: Readonly<Record<Role, number>>, wireRole: number): Role {
  const roles = Object.keys(wireRoles) as Role[];
  const role = roles.find((candidate) => wireRoles[candidate] === wireRole);
  if (role === undefined) throw invalidArgument('role', `must be one of ${roles.join(', ')}`);
  return role;
}
