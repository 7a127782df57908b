import { DrystoneError } from '../../common/errors.js';
import type { AccountName, DeviceId, NamespaceName } from '../../common/ids.js';
import { wireLimits } from '../../common/limits.js';
import type { SigningKey } from '../../common/program/signing-key.js';
import type { Assignment } from '../../proto/gen/drystone/metadata/v1/account.js';
import type { MetadataCalls } from './metadata-calls.js';

/** Who asks, and for what. */
export interface Introduction {
  readonly account: AccountName;
  readonly namespace: NamespaceName;
  readonly key: SigningKey<DeviceId>;
  /** For people: how the device calls itself. */
  readonly displayName: string;
}

/**
 * Makes the device known and returns the namespace's assignment. Idempotent. Raises NOT_FOUND (NAMESPACE_UNKNOWN) and the
 * errors of metadata.
 */
export async function introduce(
  { account, namespace, key, displayName }: Introduction,
  metadata: MetadataCalls,
  signal: AbortSignal,
): Promise<Assignment> {
  const shownName = Buffer.from(displayName)
    .subarray(0, wireLimits.displayTextBytes)
    .toString()
    .replace(/\uFFFD+$/, '');
  await metadata.account.registerDevice({ account, publicKey: key.publicKey, displayName: shownName }, { signal });
  const request = { account, namespaceName: namespace };
  return onlyAssignment(namespace, (await metadata.account.getAssignments(request, { signal })).assignments);
}

/** The assignment of the one namespace that was asked for. */
export function onlyAssignment(namespace: NamespaceName, assignments: readonly Assignment[]): Assignment {
  const assignment = assignments.find(({ namespaceName }) => namespaceName === namespace);
  if (assignment !== undefined) return assignment;
  const advice = 'create it with `drystone namespace create`, or correct the name';
  throw new DrystoneError('NOT_FOUND', 'NAMESPACE_UNKNOWN', `there is no namespace ${namespace}; ${advice}`);
}
