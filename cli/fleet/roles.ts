import { AccountRole, MemberRole } from '../../proto/gen/drystone/metadata/v1/access.js';

/** What an account may do, in words. */
export const accountRoles = { member: AccountRole.MEMBER, administrator: AccountRole.ADMINISTRATOR } as const;
export type AccountRoleName = keyof typeof accountRoles;

/** What a member may do in a namespace, in words: each may what those before it may. */
export const memberRoles = { reader: MemberRole.READER, editor: MemberRole.EDITOR, owner: MemberRole.OWNER } as const;
export type MemberRoleName = keyof typeof memberRoles;

/** The words of a table of roles. */
export function roleNames<Name extends string>(roles: Readonly<Record<Name, unknown>>): readonly Name[] {
  return Object.keys(roles) as Name[];
}

/** The word for a role; `unknown` for one of a newer release. */
export function roleName<Name extends string, Role>(roles: Readonly<Record<Name, Role>>, role: Role): Name | 'unknown' {
  return roleNames(roles).find((name) => roles[name] === role) ?? 'unknown';
}
