// Before the library that needs it: decorators tell it what the fields of ASN.1 structures are.
import 'reflect-metadata';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequest,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { createPrivateKey, createPublicKey, generateKeyPairSync, webcrypto, type KeyObject } from 'node:crypto';
import { DrystoneError, invalidArgument } from '../errors.js';
import { idOfPublicKey, type AgentId, type DeviceId } from '../ids.js';
import { trustLimits } from '../limits.js';
import { publicKeyOfRaw, rawPublicKey } from '../receipt.js';
import { fingerprintOf, readCertificate, splitCertificates } from './certificate-facts.js';
import { identityUri, parseIdentityUri, type AgentIdentity, type DeviceIdentity, type Identity } from './identity.js';

const ED25519 = { name: 'Ed25519' } as const;
const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
type KeyAlgorithm = typeof ED25519 | typeof P256;

/** What the CA is asked to certify; whether it is true is the asker's business. */
export interface CertificateOrder {
  readonly identity: Identity;
  /** Ed25519, raw, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Milliseconds since 1970 UTC; certificates hold whole seconds. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Random, at most 20 bytes. */
  readonly serial: Uint8Array;
}

/** The CA of a fleet, with its key. */
export interface CertificateAuthority {
  /** Its own certificate, PEM. */
  readonly certificatePem: string;
  /** PEM: its own certificate first, then the others that the fleet trusts. */
  readonly trustedPem: string;
  /** SHA-256 of the DER encoding of its own certificate: what one-time tokens pin. */
  readonly fingerprint: Buffer;
  /** Certifies; returns PEM, the holder's certificate first and the CA's last, so that a first contact can see it. */
  issue(order: CertificateOrder): Promise<string>;
}

/** The key and the self-signed certificate of a new CA, PEM. `serial`: random, at most 20 bytes. */
export async function createCaFiles(options: {
  nowMs: number;
  serial: Uint8Array;
}): Promise<{ keyPem: string; certificatePem: string }> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const keys = await keyPair(privateKey, ED25519);
  const notBeforeMs = options.nowMs - trustLimits.certificateBackdateMs;
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(options.serial),
    // A name of its own for each CA: while one replaces the other a verifier tells them apart by it.
    name: `CN=drystone CA ${Buffer.from(options.serial).toString('hex').slice(0, 8)}`,
    notBefore: new Date(notBeforeMs),
    notAfter: new Date(notBeforeMs + trustLimits.caCertificateMs),
    signingAlgorithm: ED25519,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificatePem: `${certificate.toString('pem')}\n`,
  };
}

/**
 * A CA from its key and certificates, PEM: the certificate of the key first, then others that are to be trusted beside
 * it. FAILED_PRECONDITION (KEY_UNREADABLE) where they are not that, the first is no CA's, or the certificate that has
 * signed one of them is missing.
 */
export async function openCertificateAuthority(keyPem: string, certificatesPem: string): Promise<CertificateAuthority> {
  const privateKey = readCaKey(keyPem);
  const trusted = splitCertificates(certificatesPem);
  const certificatePem = checkCaCertificates(trusted, privateKey);
  const algorithm = algorithmOf(privateKey);
  const signingKey = await importPrivateKey(privateKey, algorithm);
  const issuer = new X509Certificate(certificatePem);
  return {
    certificatePem,
    trustedPem: trusted.join(''),
    fingerprint: fingerprintOf(certificatePem),
    async issue(order) {
      const publicKey = await importPublicKey(publicKeyOfRaw(order.publicKey), ED25519);
      const certificate = await X509CertificateGenerator.create({
        serialNumber: serialNumber(order.serial),
        subject: `CN=${commonName(order.identity)}`,
        issuer: issuer.subjectName,
        notBefore: new Date(order.notBeforeMs),
        notAfter: new Date(order.notAfterMs),
        signingAlgorithm: algorithm,
        signingKey,
        publicKey,
        extensions: [
          new BasicConstraintsExtension(false, undefined, true),
          new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
          new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
          new SubjectAlternativeNameExtension([{ type: 'url', value: identityUri(order.identity) }]),
          await SubjectKeyIdentifierExtension.create(publicKey),
          await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
        ],
      });
      return `${certificate.toString('pem')}\n${certificatePem}`;
    },
  };
}

function commonName(identity: Identity): string {
  if (identity.kind === 'metadata') return 'drystone metadata';
  return identity.kind === 'agent' ? identity.agentId : identity.deviceId;
}

/** As X.509 wants it: a positive number. */
function serialNumber(random: Uint8Array): string {
  const bytes = Buffer.from(random);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

function readCaKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (thrown) {
    throw unusableCa('its key cannot be read', thrown);
  }
}

function checkCaCertificates(certificates: readonly string[], privateKey: KeyObject): string {
  const [own] = certificates;
  if (own === undefined) throw unusableCa('there is no certificate');
  const read = certificates.map((pem) => {
    try {
      return readCertificate(pem);
    } catch (thrown) {
      throw unusableCa('a certificate cannot be read', thrown);
    }
  });
  if (read[0]?.checkPrivateKey(privateKey) !== true) throw unusableCa('the first certificate is not that of the key');
  for (const certificate of read) {
    const { subject } = certificate;
    if (!certificate.ca) throw unusableCa(`the certificate of ${JSON.stringify(subject)} is not that of a CA`);
    if (!read.some((other) => certificate.checkIssued(other) && certificate.verify(other.publicKey))) {
      throw unusableCa(`the certificate of the CA that has signed that of ${JSON.stringify(subject)} is missing`);
    }
  }
  return own;
}

function algorithmOf(key: KeyObject): KeyAlgorithm {
  if (key.asymmetricKeyType === 'ed25519') return ED25519;
  if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return P256;
  throw unusableCa('its key is neither Ed25519 nor P-256');
}

function unusableCa(problem: string, cause?: unknown): DrystoneError {
  const message = `the fleet's CA cannot be used: ${problem}; put its key (PKCS #8, PEM) into ca.key and its certificate, then those of the CAs above it, into ca.crt`;
  return new DrystoneError('FAILED_PRECONDITION', 'KEY_UNREADABLE', message, {}, { cause });
}

/** PKCS #10, DER: asks for a certificate of `identity` over an Ed25519 key. */
export async function createCertificateRequest(privateKey: KeyObject, identity: Identity): Promise<Uint8Array> {
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: `CN=${commonName(identity)}`,
    keys: await keyPair(privateKey, ED25519),
    signingAlgorithm: ED25519,
    extensions: [new SubjectAlternativeNameExtension([{ type: 'url', value: identityUri(identity) }])],
  });
  return new Uint8Array(request.rawData);
}

/**
 * What a certificate request asks for. Its sender has the private key: the signature is verified. INVALID_ARGUMENT that
 * names `field` where it is not the request of an agent or a device, whose id is that of an Ed25519 key.
 */
export async function readCertificateRequest(
  field: string,
  der: Uint8Array,
): Promise<{ identity: AgentIdentity | DeviceIdentity; publicKey: Buffer }> {
  if (der.length > trustLimits.certificateRequestBytes) {
    throw invalidArgument(field, `must be at most ${trustLimits.certificateRequestBytes} bytes, not ${der.length}`);
  }
  const { uri, key, isSigned } = await parseRequest(der).catch(() => {
    throw invalidArgument(field, 'must be a certificate request (PKCS #10, DER)');
  });
  if (key.asymmetricKeyType !== 'ed25519') throw invalidArgument(field, 'must be over an Ed25519 key');
  if (!isSigned) throw invalidArgument(field, 'must be signed with the key that it is over');
  const identity = uri === undefined ? undefined : parseIdentityUri(uri);
  if (identity === undefined || identity.kind === 'metadata') {
    throw invalidArgument(field, 'must have one subject alternative name, the URI of an agent or a device');
  }
  const publicKey = rawPublicKey(key);
  const id = identity.kind === 'agent' ? identity.agentId : identity.deviceId;
  if (id !== idOfPublicKey<AgentId | DeviceId>(publicKey)) {
    throw invalidArgument(field, 'must name the id that follows from its key');
  }
  return { identity, publicKey };
}

async function parseRequest(der: Uint8Array): Promise<{ uri: string | undefined; key: KeyObject; isSigned: boolean }> {
  const request = new Pkcs10CertificateRequest(Buffer.from(der));
  const key = createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' });
  const names = request.extensions
    .filter((extension) => extension instanceof SubjectAlternativeNameExtension)
    .flatMap((extension) => extension.names.items);
  const [name] = names;
  return {
    uri: names.length === 1 && name?.type === 'url' ? name.value : undefined,
    key,
    isSigned: key.asymmetricKeyType === 'ed25519' && (await request.verify()),
  };
}

async function keyPair(privateKey: KeyObject, algorithm: KeyAlgorithm): Promise<webcrypto.CryptoKeyPair> {
  return {
    privateKey: await importPrivateKey(privateKey, algorithm),
    publicKey: await importPublicKey(createPublicKey(privateKey), algorithm),
  };
}

function importPrivateKey(key: KeyObject, algorithm: KeyAlgorithm): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), algorithm, false, ['sign']);
}

function importPublicKey(key: KeyObject, algorithm: KeyAlgorithm): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('spki', key.export({ type: 'spki', format: 'der' }), algorithm, true, ['verify']);
}
