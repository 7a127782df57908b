import { credentials, ServerCredentials, type ChannelCredentials } from '@grpc/grpc-js';

/** How this program proves who it is, on both ends of a connection. */
export interface TransportCredentials {
  readonly server: ServerCredentials;
  readonly channel: ChannelCredentials;
}

/**
 * No encryption and no identity: for loopback and networks that are trusted as a whole. Everything that opens a server
 * or a channel takes its credentials from here, so that identity can be added in one place.
 */
export function plaintextCredentials(): TransportCredentials {
  return { server: ServerCredentials.createInsecure(), channel: credentials.createInsecure() };
}
