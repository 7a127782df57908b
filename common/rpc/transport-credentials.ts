import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { ServerCredentials, type ChannelCredentials } from '@grpc/grpc-js';
import type { HeldIdentity } from '../identity/held-identity.js';
import { loadLimits } from '../limits.js';
import type { IdentifiedPeer } from './connection-limits.js';
import { identifyTlsPeer, type TlsEnd } from './peer-identity.js';
import type { ServerPeer } from './server-identity.js';
import { TlsChannelCredentials } from './tls-channel.js';
import { clientTlsSettings, serverTlsSettings } from './tls-settings.js';

/** How this program proves who it is, on both ends of a connection. */
export interface TransportCredentials {
  readonly server: IdentifyingServerCredentials;
  /** For connections to one server: to somebody else nothing is ever sent. A new connection uses the newest certificate. */
  channelTo(peer: ServerPeer): ChannelCredentials;
}

/** What a server shows, and how it knows who calls. A server takes no other credentials: none is without identity. */
export abstract class IdentifyingServerCredentials extends ServerCredentials {
  /** Who is at the other end of a connection that has just been made. */
  abstract identify(socket: Socket): IdentifiedPeer;

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

/** A certificate beside that of the fleet's CA, which an operator has got for the metadata service; both PEM. */
export interface ServerCertificate {
  readonly chainPem: string;
  readonly keyPem: string;
}

/**
 * Mutual TLS 1.3 with the certificate of `held`, always the newest: connections that are open when it changes go on.
 * Servers ask for a certificate and take connections without one, whose calls are then refused, with a reason, one by one.
 * `serverCertificate` is shown by servers in its place.
 */
export function mutualTls(
  held: HeldIdentity,
  options: { readonly serverCertificate?: ServerCertificate | undefined } = {},
): TransportCredentials {
  const server = new TlsServerCredentials(held, options.serverCertificate);
  const newest = newestContext(held);
  return { server, channelTo: (peer) => new TlsChannelCredentials(newest, peer) };
}

/** For the first calls to metadata: shows no certificate, and takes only a server that one of `trustedPem` has signed. */
export function enrollingChannel(trustedPem: string): ChannelCredentials {
  const context = createSecureContext({ ...clientTlsSettings, ca: trustedPem });
  return new TlsChannelCredentials(() => context, 'metadata');
}

class TlsServerCredentials extends IdentifyingServerCredentials {
  constructor(held: HeldIdentity, own: ServerCertificate | undefined) {
    const settings = { requestCert: true, rejectUnauthorized: false, handshakeTimeout: loadLimits.handshakeMs };
    super(settings, serverContext(held, own));
    held.onChange(() => this.updateSecureContextOptions(serverContext(held, own)));
  }

  override identify(socket: Socket): IdentifiedPeer {
    return identifyTlsPeer(socket as Socket & TlsEnd);
  }
}

function privateKeyPem(held: HeldIdentity): string {
  return held.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function serverContext(held: HeldIdentity, own: ServerCertificate | undefined): SecureContextOptions {
  const { certificateChain, trustedCertificates } = held.credential;
  return {
    ...serverTlsSettings,
    cert: own?.chainPem ?? certificateChain,
    key: own?.keyPem ?? privateKeyPem(held),
    ca: trustedCertificates,
  };
}

function newestContext(held: HeldIdentity): () => SecureContext {
  const make = (): SecureContext =>
    createSecureContext({
      ...clientTlsSettings,
      cert: held.credential.certificateChain,
      key: privateKeyPem(held),
      ca: held.credential.trustedCertificates,
    });
  let context = make();
  held.onChange(() => (context = make()));
  return () => context;
}
