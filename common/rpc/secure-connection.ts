import { isIP, type Socket } from 'node:net';
import { connect, type SecureContext, type TLSSocket } from 'node:tls';
import { loadLimits } from '../limits.js';
import { closeWhenLost } from './silence.js';
import type { ServerCheck } from './server-identity.js';
import { UntrustedServer } from './untrusted-server.js';

export interface SecureConnectionOptions {
  /** Where the connection leads: a name, or an address. */
  readonly host: string;
  readonly secureContext: SecureContext;
  /** What the server's certificate has to pass once its chain is verified; where it is undefined, any is taken. */
  readonly check: ServerCheck | undefined;
}

/**
 * Speaks TLS over a connection. Resolves when the server has proved who it is; else raises, an {@link UntrustedServer}
 * where the server is to blame, and has closed the connection with nothing sent over it.
 */
export async function secureConnection(socket: Socket, options: SecureConnectionOptions): Promise<TLSSocket> {
  const secured = startHandshake(socket, options);
  const timer = setTimeout(
    () => secured.destroy(new Error('it does not finish the TLS handshake')),
    loadLimits.handshakeMs,
  );
  try {
    await finished(secured);
    closeWhenLost(secured);
    return secured;
  } finally {
    clearTimeout(timer);
  }
}

function startHandshake(socket: Socket, { host, secureContext, check }: SecureConnectionOptions): TLSSocket {
  return connect({
    socket,
    secureContext,
    host,
    // A name only: TLS has no word for an address.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ALPNProtocols: ['h2'],
    rejectUnauthorized: check !== undefined,
    checkServerIdentity: (_, certificate) => check?.(certificate),
  });
}

function finished(secured: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    secured.once('secureConnect', resolve);
    // For good: until an HTTP/2 session listens, nobody else would hear it.
    secured.on('error', (error: Error) => reject(UntrustedServer.of(error)));
    secured.once('close', () => reject(new Error('it closed the connection')));
  });
}
