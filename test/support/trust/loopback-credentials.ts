import { credentials } from '@grpc/grpc-js';
import type { AccountName, DeviceId } from '../../../common/ids.js';
import type { Caller } from '../../../common/rpc/caller.js';
import type { IdentifiedPeer } from '../../../common/rpc/connection-limits.js';
import { IdentifyingServerCredentials, type TransportCredentials } from '../../../common/rpc/transport-credentials.js';

/** A device that nobody has enrolled, for tests that do not care who calls. */
export const someDevice: Caller = {
  kind: 'device',
  deviceId: '00000000000000000000000000000000' as DeviceId,
  account: 'somebody' as AccountName,
};

class LoopbackServerCredentials extends IdentifyingServerCredentials {
  constructor(private readonly caller: Caller) {
    super(null);
  }

  override identify(): IdentifiedPeer {
    return { caller: this.caller, endsAtMs: Number.POSITIVE_INFINITY };
  }
}

/**
 * No encryption, and everybody who calls is `caller`: for tests of the RPC layer and for raw comparisons in benchmarks.
 * Programs have no such mode.
 */
export function loopbackCredentials(caller: Caller = someDevice): TransportCredentials {
  return { server: new LoopbackServerCredentials(caller), channelTo: () => credentials.createInsecure() };
}
