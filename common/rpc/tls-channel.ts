import type { SecureContext } from 'node:tls';
import { CallCredentials, ChannelCredentials } from '@grpc/grpc-js';
import { parseHostPort } from '../address.js';
import { secureConnection } from './secure-connection.js';
import { serverIdentityCheck, type ServerPeer } from './server-identity.js';

type ConnectorArguments = Parameters<ChannelCredentials['_createSecureConnector']>;
type Connector = ReturnType<ChannelCredentials['_createSecureConnector']>;

/** TLS to one server and no other; each connection is made with what `newest` returns at that moment. */
export class TlsChannelCredentials extends ChannelCredentials {
  constructor(
    private readonly newest: () => SecureContext,
    private readonly peer: ServerPeer,
  ) {
    super();
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(...[target, , callCredentials]: ConnectorArguments): Connector {
    const { host } = parseHostPort('address', target.path);
    const check = serverIdentityCheck(this.peer, host);
    const credentials = callCredentials ?? CallCredentials.createEmpty();
    return {
      connect: async (socket) => ({
        socket: await secureConnection(socket, { host, secureContext: this.newest(), check }),
        secure: true,
      }),
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => credentials,
      destroy: () => undefined,
    };
  }
}
