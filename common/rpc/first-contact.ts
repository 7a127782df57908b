import { connect as connectTcp, type Socket } from 'node:net';
import { createSecureContext, type DetailedPeerCertificate, type SecureContext, type TLSSocket } from 'node:tls';
import { parseHostPort } from '../address.js';
import { DrystoneError } from '../errors.js';
import { fingerprintOf, readCertificate } from '../identity/certificate-facts.js';
import { loadLimits } from '../limits.js';
import { secureConnection } from './secure-connection.js';
import { serverIdentityCheck, type ServerCheck } from './server-identity.js';
import { clientTlsSettings } from './tls-settings.js';
import { isHostUnknown, unknownHostMessage } from './unknown-host.js';
import { UntrustedServer, untrustedServerMessage } from './untrusted-server.js';

/**
 * Meets the metadata service at `address` for the first time, and returns the certificate of the CA with this fingerprint,
 * PEM, once the server has proved that this CA has certified it. Nothing is sent to it but the greeting of TLS. Raises
 * UNAUTHENTICATED (SERVER_UNTRUSTED) where the server does not prove it, UNAVAILABLE where none answers.
 */
export async function readTrustedCertificates(address: string, caFingerprint: Buffer): Promise<string> {
  // Whoever answers may show what he likes: only what the fingerprint picks out of it is used.
  const anyone = await meet(address, createSecureContext({ ...clientTlsSettings, ca: [] }), undefined);
  const ca = shownBy(anyone).find((der) => fingerprintOf(der).equals(caFingerprint));
  anyone.destroy();
  if (ca === undefined) throw untrusted(address, 'it does not know the CA that the one-time token names');
  const caPem = readCertificate(ca).toString();
  const { host } = parseHostPort('address', address);
  const context = createSecureContext({ ...clientTlsSettings, ca: caPem });
  (await meet(address, context, serverIdentityCheck('metadata', host))).destroy();
  return caPem;
}

async function meet(address: string, secureContext: SecureContext, check: ServerCheck | undefined): Promise<TLSSocket> {
  const { host, port } = parseHostPort('address', address);
  const socket = connectTcp({ host, port });
  try {
    await opened(socket);
    return await secureConnection(socket, { host, secureContext, check });
  } catch (thrown) {
    socket.destroy();
    const { message } = thrown as Error;
    const problem = UntrustedServer.problemIn(message);
    if (problem !== undefined) throw untrusted(address, problem);
    const away = isHostUnknown(message) ? unknownHostMessage(address) : `nothing answers at ${address} (${message})`;
    throw new DrystoneError('UNAVAILABLE', 'TRANSPORT', away);
  }
}

function opened(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => socket.destroy(new Error('it does not take the connection')),
      loadLimits.handshakeMs,
    );
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

/** A chain is no longer than this, unless it is made to keep us busy. */
const CHAIN_LENGTH = 8;

/** The certificates that a server has shown, DER, its own first. */
function shownBy(socket: TLSSocket): Buffer[] {
  const shown: Buffer[] = [];
  let certificate: Partial<DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true);
  while (certificate?.raw !== undefined && shown.length < CHAIN_LENGTH) {
    shown.push(certificate.raw);
    certificate = certificate.issuerCertificate;
  }
  return shown;
}

function untrusted(address: string, problem: string): DrystoneError {
  return new DrystoneError('UNAUTHENTICATED', 'SERVER_UNTRUSTED', untrustedServerMessage(address, problem));
}
