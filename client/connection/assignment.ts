import { DrystoneError } from '../../common/errors.js';
import type { NamespaceName } from '../../common/ids.js';
import type { CallOptions } from '../../common/rpc/method-types.js';
import type { Assignment } from '../../proto/gen/drystone/metadata/v1/account.js';
import type { MetadataCalls } from './metadata-calls.js';

/** Which agents hold a namespace. Raises NOT_FOUND (NAMESPACE_UNKNOWN) and the errors of metadata. */
export async function readAssignment(
  namespaceName: NamespaceName,
  { account }: Pick<MetadataCalls, 'account'>,
  options: CallOptions,
): Promise<Assignment> {
  try {
    return onlyAssignment(namespaceName, (await account.getAssignments({ namespaceName }, options)).assignments);
  } catch (thrown) {
    throw explainUnknown(namespaceName, thrown);
  }
}

/** The assignment of the one namespace that was asked for. */
export function onlyAssignment(namespace: NamespaceName, assignments: readonly Assignment[]): Assignment {
  const assignment = assignments.find(({ namespaceName }) => namespaceName === namespace);
  if (assignment !== undefined) return assignment;
  throw unknownNamespace(namespace);
}

/** Says what NAMESPACE_UNKNOWN means to a member who wanted, or had, this namespace; any other error as it is. */
export function explainUnknown(namespace: NamespaceName, thrown: unknown): unknown {
  if (!(thrown instanceof DrystoneError) || thrown.reason !== 'NAMESPACE_UNKNOWN') return thrown;
  return unknownNamespace(namespace, { cause: thrown });
}

function unknownNamespace(namespace: NamespaceName, options?: ErrorOptions): DrystoneError {
  const message =
    `there is no namespace ${namespace}, or your account is not, or no longer, a member of it; correct the name, ask an ` +
    'owner for `drystone namespace share`, or create it with `drystone namespace create`';
  return new DrystoneError('NOT_FOUND', 'NAMESPACE_UNKNOWN', message, {}, options);
}
