import type { ChangeSignal } from '../../common/concurrency/change-signal.js';
import { invalidArgument } from '../../common/errors.js';
import type { WatcherLimit } from '../../common/feed-service/watcher-limit.js';
import type { DeviceIdentity } from '../../common/identity/identity.js';
import { parseNamespaceId, parseNamespaceName, type NamespaceId } from '../../common/ids.js';
import { trustLimits } from '../../common/limits.js';
import { serve, type ServedService } from '../../common/rpc/server.js';
import {
  AccountServiceService,
  GetAssignmentsResponse,
  type GetAssignmentsRequest,
} from '../../proto/gen/drystone/metadata/v1/account.js';
import type { Assignments } from '../directory/assignments.js';
import { callingDevice } from '../requests/callers.js';
import type { AccessTokens } from '../trust/access-tokens.js';
import type { Access } from '../trust/access.js';

export interface AccountParts {
  readonly access: Access;
  readonly accessTokens: AccessTokens;
  readonly assignments: Assignments;
  /** Notified when assignments, memberships, agents or their states have changed, or something was revoked. */
  readonly directoryChanged: ChangeSignal;
  readonly watchers: WatcherLimit;
}

/** AccountService (proto/drystone/metadata/v1/account.proto). */
export function accountRoutes(parts: AccountParts): ServedService {
  const { access, accessTokens, assignments } = parts;
  const answer = async (request: GetAssignmentsRequest, device: DeviceIdentity): Promise<GetAssignmentsResponse> => {
    const { namespaceName } = request;
    const name = namespaceName === '' ? undefined : parseNamespaceName('namespace_name', namespaceName);
    return { assignments: await assignments.ofAccount(device.account, name) };
  };
  return serve(
    AccountServiceService,
    {
      getAssignments: (request, context) => answer(request, callingDevice(context)),
      watchAssignments(request, context) {
        const device = callingDevice(context);
        const read = async (): Promise<GetAssignmentsResponse> => {
          await access.requireUnrevoked(device);
          return answer(request, device);
        };
        return watch(read, parts, context.signal);
      },
      async issueAccessToken({ namespaceIds }, context) {
        const issued = await accessTokens.issue(callingDevice(context), parseNamespaceIds(namespaceIds));
        const tokenKeys = accessTokens.keys.map(({ id, publicKey }) => ({ keyId: id, publicKey }));
        return { accessToken: issued.accessToken, expiresAtMs: BigInt(issued.expiresAtMs), tokenKeys };
      },
    },
    {
      audience: { getAssignments: 'device', watchAssignments: 'device', issueAccessToken: 'device' },
      endless: ['watchAssignments'],
    },
  );
}

function parseNamespaceIds(ids: readonly string[]): NamespaceId[] {
  const { namespacesPerAccessToken } = trustLimits;
  if (ids.length === 0 || ids.length > namespacesPerAccessToken) {
    throw invalidArgument('namespace_ids', `must be 1 to ${namespacesPerAccessToken} namespaces`);
  }
  return ids.map((id, index) => parseNamespaceId(`namespace_ids[${index}]`, id));
}

/** The answer at once, and again whenever it has become another. */
async function* watch(
  read: () => Promise<GetAssignmentsResponse>,
  { directoryChanged, watchers }: AccountParts,
  signal: AbortSignal,
): AsyncGenerator<GetAssignmentsResponse> {
  const leave = watchers.enter();
  try {
    let told: Uint8Array | undefined;
    while (!signal.aborted) {
      // Armed before the state is read, so that nothing slips between.
      const changed = directoryChanged.arm(signal);
      const answer = await read();
      const encoded = GetAssignmentsResponse.encode(answer).finish();
      if (told === undefined || Buffer.compare(told, encoded) !== 0) {
        told = encoded;
        yield answer;
      }
      await changed;
    }
  } finally {
    leave();
  }
}
