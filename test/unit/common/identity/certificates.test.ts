import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  certificateTimes,
  fingerprintOf,
  identityOfCertificate,
  splitCertificates,
} from '../../../../common/identity/certificate-facts.js';
import {
  createCaFiles,
  createCertificateRequest,
  openCertificateAuthority,
  readCertificateRequest,
} from '../../../../common/identity/certificates.js';
import { identityUri, type Identity } from '../../../../common/identity/identity.js';
import type { AccountName, AgentId, DeviceId, PremisesName } from '../../../../common/ids.js';
import { trustLimits } from '../../../../common/limits.js';
import { rawPublicKey } from '../../../../common/receipt.js';
import { rejection } from '../../../support/async-tools.js';
import {
  certificateNaming,
  intermediateCa,
  requestNaming,
  selfSignedCa,
} from '../../../support/trust/odd-certificates.js';
import { newKey, TestAuthority } from '../../../support/trust/test-authority.js';

const NOW_MS = Date.UTC(2031, 4, 6, 7, 8, 9);
const serial = Buffer.from('00ff112233445566778899aabbccddee', 'hex');

const deviceKey = newKey<DeviceId>();
const device = { kind: 'device', account: 'ana' as AccountName, deviceId: deviceKey.id } as const;
const agentKey = newKey<AgentId>();
const agent = { kind: 'agent', premises: 'lisbon' as PremisesName, agentId: agentKey.id } as const;

let authority: TestAuthority;
beforeAll(async () => {
  authority = await TestAuthority.create();
});

const derOf = (pem: string): Buffer => new X509Certificate(pem).raw;

describe('a new CA', () => {
  it('has a self-signed certificate that may certify holders, and no further CA', async () => {
    const { certificatePem, keyPem } = await createCaFiles({ nowMs: NOW_MS, serial });
    const certificate = new X509Certificate(certificatePem);
    expect(certificate.ca).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(keyPem))).toBe(true);
    expect(certificateTimes(certificatePem)).toEqual({
      notBeforeMs: NOW_MS - trustLimits.certificateBackdateMs,
      notAfterMs: NOW_MS - trustLimits.certificateBackdateMs + trustLimits.caCertificateMs,
    });
    const opened = await openCertificateAuthority(keyPem, certificatePem);
    expect(opened.fingerprint).toEqual(Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex'));
    expect(opened.trustedPem).toBe(certificatePem);
  });

  it.each<[string, Identity]>([
    ['a device', device],
    ['an agent', agent],
    ['metadata', { kind: 'metadata' }],
  ])('certifies %s: its URI, its key, its times, its chain', async (_, identity) => {
    const { privateKey } = identity.kind === 'agent' ? agentKey : deviceKey;
    const chain = await authority.ca.issue({
      identity,
      publicKey: rawPublicKey(privateKey),
      notBeforeMs: NOW_MS,
      notAfterMs: NOW_MS + 5000,
      serial,
    });
    const [leaf = '', ca, ...rest] = splitCertificates(chain);
    expect([ca, rest]).toEqual([authority.ca.certificatePem, []]);
    const certificate = new X509Certificate(leaf);
    expect(certificate.subjectAltName).toBe(`URI:${identityUri(identity)}`);
    expect(certificate.ca).toBe(false);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    expect(certificate.checkPrivateKey(privateKey)).toBe(true);
    expect(certificate.verify(createPublicKey(authority.ca.certificatePem))).toBe(true);
    expect(certificate.checkIssued(new X509Certificate(authority.ca.certificatePem))).toBe(true);
    expect(certificateTimes(chain)).toEqual({ notBeforeMs: NOW_MS, notAfterMs: NOW_MS + 5000 });
    expect(identityOfCertificate(certificate.raw)).toEqual(identity);
    expect(BigInt(`0x${certificate.serialNumber}`) > 0n).toBe(true);
    expect(certificate.serialNumber).toHaveLength(32);
  });

  it('is told from the next by its name', async () => {
    const [one, other] = await Promise.all([
      createCaFiles({ nowMs: NOW_MS, serial }),
      createCaFiles({ nowMs: NOW_MS, serial: Buffer.from(serial).reverse() }),
    ]);
    expect(new X509Certificate(one.certificatePem).subject).not.toBe(new X509Certificate(other.certificatePem).subject);
  });
});

describe('an operator’s own CA', () => {
  const p256 = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const pem = (key: ReturnType<typeof p256>): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

  it('may be a P-256 key under a root of his', async () => {
    const key = p256();
    const certificates = (await intermediateCa(authority, key)) + authority.ca.certificatePem;
    const ca = await openCertificateAuthority(pem(key), certificates);
    const chain = await ca.issue({
      identity: device,
      publicKey: rawPublicKey(deviceKey.privateKey),
      notBeforeMs: NOW_MS,
      notAfterMs: NOW_MS + 1000,
      serial,
    });
    expect(new X509Certificate(chain).verify(createPublicKey(key))).toBe(true);
    expect(ca.trustedPem).toBe(certificates);
    expect(ca.fingerprint).toEqual(fingerprintOf(certificates));
  });

  const broken: Readonly<Record<string, () => Promise<[key: string, certificates: string]>>> = {
    'cannot be read': async () => ['-----BEGIN PRIVATE KEY-----\n', authority.ca.certificatePem],
    'there is no certificate': async () => [authority.keyPem, 'nothing'],
    'a certificate cannot be read': async () => [
      authority.keyPem,
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    ],
    'not that of the key': async () => [pem(p256()), authority.ca.certificatePem],
    'not that of a CA': async () => [pem(deviceKey.privateKey), await authority.certify(device, deviceKey.privateKey)],
    'is missing': async () => {
      const key = p256();
      return [pem(key), await intermediateCa(authority, key)];
    },
    'neither Ed25519 nor P-256': async () => {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
      return [pem(privateKey), await selfSignedCa(privateKey)];
    },
  };

  it.each(Object.keys(broken))('is refused, with what to do, where it %s', async (problem) => {
    const [key, certificates] = await broken[problem]!();
    const error = (await rejection(openCertificateAuthority(key, certificates))) as Error;
    expect(error).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'KEY_UNREADABLE' });
    expect(error.message).toContain(problem);
    expect(error.message).toContain('ca.key');
    expect(error.message).not.toContain('PRIVATE KEY');
  });
});

describe('whom a certificate is for', () => {
  const uri = identityUri(device);
  const names = (...list: { type: 'url' | 'dns' | 'email'; value: string }[]) =>
    certificateNaming(authority, deviceKey.privateKey, list);

  it('is who its one URI names', async () => {
    expect(identityOfCertificate(derOf(await names({ type: 'url', value: uri })))).toEqual(device);
  });

  it.each<[string, () => Promise<string>]>([
    ['without a name', () => names()],
    ['with a host name', () => names({ type: 'dns', value: 'metadata' })],
    ['with two names', () => names({ type: 'url', value: uri }, { type: 'dns', value: 'lisbon.example' })],
    ['with two URIs', () => names({ type: 'url', value: uri }, { type: 'url', value: 'spiffe://drystone/metadata' })],
    ['with a URI as another kind of name', () => names({ type: 'dns', value: `URI:${uri}` })],
    ['with a URI of another domain', () => names({ type: 'url', value: uri.replace('//drystone', '//elsewhere') })],
    ['with a URI that goes on', () => names({ type: 'url', value: `${uri}/more` })],
    ['with a URI that hides another', () => names({ type: 'url', value: `${uri}, URI:spiffe://drystone/metadata` })],
    [
      'with the id of another key',
      () => names({ type: 'url', value: identityUri({ ...device, deviceId: newKey<DeviceId>().id }) }),
    ],
    [
      'over a key that is no Ed25519',
      () =>
        certificateNaming(authority, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, [
          { type: 'url', value: uri },
        ]),
    ],
  ])('is nobody: a certificate %s', async (_, make) => {
    expect(identityOfCertificate(derOf(await make()))).toBeUndefined();
  });

  it('is nobody: what is no certificate', () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('certificate'), Buffer.alloc(5000, 0x30)]) {
      expect(identityOfCertificate(bytes)).toBeUndefined();
    }
  });
});

describe('a certificate request', () => {
  it.each<[string, Identity, typeof deviceKey | typeof agentKey]>([
    ['a device', device, deviceKey],
    ['an agent', agent, agentKey],
  ])('of %s says who asks, over which key', async (_, identity, { privateKey }) => {
    const der = await createCertificateRequest(privateKey, identity);
    expect(der.length).toBeLessThan(trustLimits.certificateRequestBytes);
    const read = await readCertificateRequest('certificate_request', der);
    expect(read).toEqual({ identity, publicKey: rawPublicKey(privateKey) });
  });

  const named = (value: string) => [{ type: 'url' as const, value }];
  const bad: Readonly<Record<string, () => Promise<Uint8Array> | Uint8Array>> = {
    'that is empty': () => Buffer.alloc(0),
    'that is no DER': () => Buffer.from('certificate request'),
    'that is too long': () => Buffer.alloc(trustLimits.certificateRequestBytes + 1),
    'that is cut short': async () =>
      (await requestNaming(deviceKey.privateKey, named(identityUri(device)))).subarray(0, -1),
    'that another key has signed': () =>
      requestNaming(deviceKey.privateKey, named(identityUri(device)), newKey().privateKey),
    'whose names were changed': async () => {
      const der = await requestNaming(deviceKey.privateKey, named(identityUri(device)));
      der.write('eva', der.indexOf('ana', 'latin1'), 'latin1');
      return der;
    },
    'without a name': () => requestNaming(deviceKey.privateKey, []),
    'with a host name': () => requestNaming(deviceKey.privateKey, [{ type: 'dns', value: 'metadata' }]),
    'with two names': () =>
      requestNaming(deviceKey.privateKey, [...named(identityUri(device)), { type: 'dns', value: 'x.example' }]),
    'of metadata': () => requestNaming(deviceKey.privateKey, named('spiffe://drystone/metadata')),
    'with a URI of another domain': () => requestNaming(deviceKey.privateKey, named('spiffe://elsewhere/device/ana/x')),
    'with the id of another key': () =>
      requestNaming(deviceKey.privateKey, named(identityUri({ ...device, deviceId: newKey<DeviceId>().id }))),
    'over a key that is no Ed25519': () =>
      requestNaming(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, named(identityUri(device))),
  };

  it.each(Object.keys(bad))('%s is refused: INVALID_ARGUMENT with the field', async (what) => {
    const error = await rejection(readCertificateRequest('certificate_request', await bad[what]!()));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { field: 'certificate_request' } });
  });

  it('with any byte changed is refused, or asks for the same', async () => {
    const der = Buffer.from(await createCertificateRequest(deviceKey.privateKey, device));
    for (let at = 0; at < der.length; at++) {
      const changed = Buffer.from(der);
      changed[at]! ^= 1;
      const outcome = await readCertificateRequest('certificate_request', changed).catch((error: unknown) => error);
      if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'INVALID_ARGUMENT' });
      else expect(outcome, `byte ${at}`).toEqual({ identity: device, publicKey: rawPublicKey(deviceKey.privateKey) });
    }
  });
});
