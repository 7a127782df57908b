import type { ChangeSignal } from '../../common/concurrency/change-signal.js';
import { idOfPublicKey, parseAccountName, parseNamespaceName, type DeviceId } from '../../common/ids.js';
import { serve, type ServedService } from '../../common/rpc/server.js';
import {
  AccountServiceService,
  GetAssignmentsResponse,
  type GetAssignmentsRequest,
} from '../../proto/gen/drystone/metadata/v1/account.js';
import type { Assignments } from '../directory/assignments.js';
import type { WatcherLimit } from '../feed/watcher-limit.js';
import type { DirectoryStore } from '../store/contract.js';
import { checkDisplayText, checkPublicKey } from '../requests/texts.js';

export interface AccountParts {
  readonly directory: DirectoryStore;
  readonly assignments: Assignments;
  /** Notified when assignments, agents or their states have changed. */
  readonly directoryChanged: ChangeSignal;
  readonly watchers: WatcherLimit;
}

/** AccountService (proto/drystone/metadata/v1/account.proto). */
export function accountRoutes(parts: AccountParts): ServedService {
  const answer = async (request: GetAssignmentsRequest): Promise<GetAssignmentsResponse> => {
    const account = parseAccountName('account', request.account);
    const { namespaceName } = request;
    const name = namespaceName === '' ? undefined : parseNamespaceName('namespace_name', namespaceName);
    return { assignments: await parts.assignments.ofAccount(account, name) };
  };
  return serve(
    AccountServiceService,
    {
      async registerDevice(request) {
        const account = parseAccountName('account', request.account);
        const publicKey = checkPublicKey('public_key', request.publicKey);
        const displayName = checkDisplayText('display_name', request.displayName);
        const id = idOfPublicKey<DeviceId>(publicKey);
        await parts.directory.putDevice({ id, account, publicKey, displayName });
        return { deviceId: id };
      },
      getAssignments: answer,
      watchAssignments: (request, { signal }) => watch(() => answer(request), parts, signal),
    },
    { endless: ['watchAssignments'] },
  );
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
