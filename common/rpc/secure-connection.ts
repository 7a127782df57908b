import { isIP, type Socket } from 'node:net';
import { connect, type SecureContext, type TLSSocket } from 'node:tls';
import { loadLimits } from '../limits.js';
import type { ServerCheck } from './server-identity.js';
import { UntrustedServer } from './untrusted-server.js';

/**
 * Speaks TLS over a connection to `host`. Resolves when the server's certificate has been verified and passes `check`; where
 * `check` is undefined, whatever certificate it shows. Else raises, an {@link UntrustedServer} where the server is to
 * blame, and has closed the connection with nothing sent over it.
 */
export function secureConnection(
  socket: Socket,
  host: string,
  secureContext: SecureContext,
  check: ServerCheck | undefined,
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const secured = connect({
      socket,
      secureContext,
      host,
      // A name only: TLS has no word for an address.
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ALPNProtocols: ['h2'],
      rejectUnauthorized: check !== undefined,
      checkServerIdentity: (_, certificate) => check?.(certificate),
    });
    const timer = setTimeout(
      () => secured.destroy(new Error('it does not finish the TLS handshake')),
      loadLimits.handshakeMs,
    );
    secured.once('secureConnect', () => {
      clearTimeout(timer);
      resolve(secured);
    });
    // For good: until an HTTP/2 session listens, nobody else would hear it.
    secured.on('error', (error: Error) => reject(UntrustedServer.of(error)));
    secured.once('close', () => {
      clearTimeout(timer);
      reject(new Error('it closed the connection'));
    });
  });
}
