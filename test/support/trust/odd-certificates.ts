import 'reflect-metadata';
import {
  BasicConstraintsExtension,
  type Extension,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
  type JsonGeneralName,
} from '@peculiar/x509';
import { createPrivateKey, createPublicKey, webcrypto, type KeyObject } from 'node:crypto';
import type { TestAuthority } from './test-authority.js';

/** Certificates and requests that no program of ours makes, for those that must not fall for them. */

const CURVES: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384' };

function algorithmOf(key: KeyObject) {
  if (key.asymmetricKeyType === 'ed25519') return { name: 'Ed25519' };
  return { name: 'ECDSA', namedCurve: CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''], hash: 'SHA-256' };
}

async function keysOf(privateKey: KeyObject): Promise<webcrypto.CryptoKeyPair> {
  const algorithm = algorithmOf(privateKey);
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' });
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return {
    privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign']),
    publicKey: await webcrypto.subtle.importKey('spki', spki, algorithm, true, ['verify']),
  };
}

const namesExtension = (names: readonly JsonGeneralName[]) =>
  names.length === 0 ? [] : [new SubjectAlternativeNameExtension([...names])];

/** A certificate of the authority with these names and no others, PEM, with that of the CA behind it. */
export async function certificateNaming(
  authority: TestAuthority,
  privateKey: KeyObject,
  names: readonly JsonGeneralName[],
): Promise<string> {
  const { publicKey } = await keysOf(privateKey);
  const { privateKey: signingKey } = await keysOf(createPrivateKey(authority.keyPem));
  const certificate = await X509CertificateGenerator.create({
    serialNumber: '40',
    subject: 'CN=odd',
    issuer: new X509Certificate(authority.ca.certificatePem).subjectName,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    signingAlgorithm: algorithmOf(createPrivateKey(authority.keyPem)),
    signingKey,
    publicKey,
    extensions: namesExtension(names),
  });
  return `${certificate.toString('pem')}\n${authority.ca.certificatePem}`;
}

/**
 * A certificate request with these names and no others, DER; signed with `signer` where that is another key, and with what
 * else is `asked` for.
 */
export async function requestNaming(
  privateKey: KeyObject,
  names: readonly JsonGeneralName[],
  signer = privateKey,
  asked: readonly Extension[] = [],
) {
  const keys = await keysOf(privateKey);
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: 'CN=odd',
    keys: { publicKey: keys.publicKey, privateKey: (await keysOf(signer)).privateKey },
    signingAlgorithm: algorithmOf(signer),
    extensions: [...namesExtension(names), ...asked],
  });
  return Buffer.from(request.rawData);
}

/** The certificate of a CA that the authority has certified, PEM, alone. */
export async function intermediateCa(authority: TestAuthority, privateKey: KeyObject): Promise<string> {
  const { publicKey } = await keysOf(privateKey);
  const root = createPrivateKey(authority.keyPem);
  const certificate = await X509CertificateGenerator.create({
    serialNumber: '41',
    subject: 'CN=intermediate',
    issuer: new X509Certificate(authority.ca.certificatePem).subjectName,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    signingAlgorithm: algorithmOf(root),
    signingKey: (await keysOf(root)).privateKey,
    publicKey,
    extensions: [new BasicConstraintsExtension(true, 0, true)],
  });
  return `${certificate.toString('pem')}\n`;
}

/** The certificate of a CA of its own, PEM. */
export async function selfSignedCa(privateKey: KeyObject): Promise<string> {
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: '42',
    name: 'CN=own',
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    signingAlgorithm: algorithmOf(privateKey),
    keys: await keysOf(privateKey),
    extensions: [new BasicConstraintsExtension(true, 0, true)],
  });
  return `${certificate.toString('pem')}\n`;
}
