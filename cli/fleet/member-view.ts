import type { Member } from '../../proto/gen/drystone/metadata/v1/access.js';
import { formatTable } from '../output/table.js';
import { memberRoles, roleName, type MemberRoleName } from './roles.js';

/** A member of a namespace as `--json` shows it. */
export interface MemberDocument {
  readonly account: string;
  readonly role: MemberRoleName | 'unknown';
}

/** A member as it comes over the wire, for `--json`. */
export function memberDocument({ account, role }: Member): MemberDocument {
  return { account, role: roleName(memberRoles, role) };
}

/** Members as a table. */
export function formatMembers(members: readonly MemberDocument[]): string {
  const columns = [{ heading: 'member' }, { heading: 'role' }];
  return formatTable(
    columns,
    members.map(({ account, role }) => [account, role]),
  );
}
