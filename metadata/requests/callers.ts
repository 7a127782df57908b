import type { AgentIdentity, DeviceIdentity } from '../../common/identity/identity.js';
import type { Caller } from '../../common/rpc/caller.js';

/** The device that calls an RPC which is for devices: nobody else gets as far as its handler. */
export function callingDevice({ caller }: { readonly caller: Caller }): DeviceIdentity {
  if (caller.kind !== 'device') throw new Error(`an RPC for devices was called by ${caller.kind}`);
  return caller;
}

/** As {@link callingDevice}, for an RPC that is for agents. */
export function callingAgent({ caller }: { readonly caller: Caller }): AgentIdentity {
  if (caller.kind !== 'agent') throw new Error(`an RPC for agents was called by ${caller.kind}`);
  return caller;
}

/** As {@link callingDevice}, for an RPC that is for both. */
export function callingHolder({ caller }: { readonly caller: Caller }): AgentIdentity | DeviceIdentity {
  return caller.kind === 'agent' ? caller : callingDevice({ caller });
}
