import { createHash, X509Certificate } from 'node:crypto';
import { idOfPublicKey, type AgentId, type DeviceId } from '../ids.js';
import { rawPublicKey } from '../receipt.js';
import { parseIdentityUri, type Identity } from './identity.js';

/** A certificate from its DER or PEM encoding, of a chain the first. Throws where it is neither. */
export function readCertificate(encoded: Uint8Array | string): X509Certificate {
  return new X509Certificate(encoded);
}

/**
 * Whom a certificate is for, whoever has signed it: undefined unless its one subject alternative name is the URI of an
 * identity, and the id in that URI is the one of the certificate's key.
 */
export function identityOfCertificate(der: Uint8Array): Identity | undefined {
  let certificate: X509Certificate;
  try {
    certificate = readCertificate(der);
  } catch {
    return undefined;
  }
  // Node lists the names as `URI:…, DNS:…`; a second name, or a character that it quotes, is in no URI of ours.
  const uri = /^URI:([^\s,"]+)$/.exec(certificate.subjectAltName ?? '')?.[1];
  const identity = uri === undefined ? undefined : parseIdentityUri(uri);
  if (identity === undefined || identity.kind === 'metadata') return identity;
  if (certificate.publicKey.asymmetricKeyType !== 'ed25519') return undefined;
  const id = idOfPublicKey<AgentId | DeviceId>(rawPublicKey(certificate.publicKey));
  return id === (identity.kind === 'agent' ? identity.agentId : identity.deviceId) ? identity : undefined;
}

/** From when until when a certificate counts, of a chain the first: milliseconds since 1970 UTC. */
export function certificateTimes(pem: string): { notBeforeMs: number; notAfterMs: number } {
  const { validFrom, validTo } = readCertificate(pem);
  return { notBeforeMs: Date.parse(validFrom), notAfterMs: Date.parse(validTo) };
}

/** By what a certificate is pinned: the SHA-256 of its DER encoding; of a PEM text the first. 32 bytes. */
export function fingerprintOf(encoded: Uint8Array | string): Buffer {
  return createHash('sha256').update(readCertificate(encoded).raw).digest();
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates in a PEM text, one each, in order; what is between them is dropped. */
export function splitCertificates(pem: string): string[] {
  return (pem.match(PEM_CERTIFICATE) ?? []).map((one) => `${one}\n`);
}
