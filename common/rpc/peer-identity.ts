import type { TLSSocket } from 'node:tls';
import { identityOfCertificate } from '../identity/certificate-facts.js';
import type { Anonymous } from './caller.js';
import type { IdentifiedPeer } from './connection-limits.js';

/** What a TLS socket, and what HTTP/2 shows of one, says of the other end. */
export type TlsEnd = Pick<TLSSocket, 'authorized' | 'authorizationError' | 'getPeerCertificate'>;

/** Who is at the other end of a TLS connection, by the certificate that he has shown. Read it once a connection. */
export function identifyTlsPeer(socket: TlsEnd): IdentifiedPeer {
  // Empty where none was shown, whatever the types say.
  const certificate = socket.getPeerCertificate() as { readonly raw?: Buffer; readonly valid_to?: string };
  const { raw, valid_to: validTo } = certificate;
  if (raw === undefined || validTo === undefined) return anonymous('no certificate');
  if (!socket.authorized) {
    // A code, such as CERT_HAS_EXPIRED, where the types say an error.
    return anonymous(String(socket.authorizationError) === 'CERT_HAS_EXPIRED' ? 'expired' : 'untrusted');
  }
  const identity = identityOfCertificate(raw);
  return identity === undefined ? anonymous('nameless') : { caller: identity, endsAtMs: Date.parse(validTo) };
}

function anonymous(because: Anonymous['because']): IdentifiedPeer {
  return { caller: { kind: 'anonymous', because }, endsAtMs: Number.POSITIVE_INFINITY };
}
