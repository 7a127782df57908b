import { openChannel, type RpcChannel } from '../../common/rpc/client.js';
import type { ServerPeer } from '../../common/rpc/server-identity.js';
import type { TransportCredentials } from '../../common/rpc/transport-credentials.js';

/**
 * Opens a channel to HOST:PORT, over which nothing is ever sent to another server than `peer`. Its calls fail when no
 * connection has come about for `connectMs`; where that is not said, for `rpcLimits.connectMs`.
 */
export type Connect = (address: string, peer: ServerPeer, connectMs?: number) => RpcChannel;

/** Channels over gRPC, as the holder of these credentials. */
export function connectOver(transport: Pick<TransportCredentials, 'channelTo'>): Connect {
  return (address, peer, connectMs) => openChannel(address, transport.channelTo(peer), connectMs);
}
