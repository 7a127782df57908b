import 'reflect-metadata';
import { BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension } from '@peculiar/x509';
import { generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateRequest } from '../../common/identity/certificates.js';
import { identityUri, type Identity } from '../../common/identity/identity.js';
import type { AccountName, AgentId, DeviceId, PremisesName } from '../../common/ids.js';
import { trustLimits } from '../../common/limits.js';
import { AccountRole } from '../../proto/gen/drystone/metadata/v1/access.js';
import { rejection } from '../support/async-tools.js';
import { identityFor } from '../support/metadata/callers.js';
import { FleetUnderAttack } from '../support/security/fleet-under-attack.js';
import { requestNaming } from '../support/trust/odd-certificates.js';
import { newKey } from '../support/trust/test-authority.js';

let fleet: FleetUnderAttack;

beforeAll(async () => {
  fleet = await FleetUnderAttack.start();
  for (const name of ['ana', 'ben']) {
    await fleet.metadata.calls.access.createAccount({ name, role: AccountRole.MEMBER });
  }
});

afterAll(() => fleet.stop());

async function deviceToken(account = 'ana'): Promise<string> {
  return (await fleet.metadata.calls.access.issueDeviceToken({ account, validSeconds: 0 })).token;
}

async function agentToken(): Promise<string> {
  return (await fleet.metadata.calls.access.issueAgentToken({ premises: 'lisbon', validSeconds: 0 })).token;
}

/** Over a connection with a certificate: those without one may not try as often. */
function enroll(token: string, certificateRequest: Uint8Array) {
  return fleet.metadata.calls.enrollment.enroll({ token, certificateRequest, displayName: '' });
}

const tokenInvalid = { code: 'UNAUTHENTICATED', reason: 'TOKEN_INVALID' };
const requestInvalid = { code: 'INVALID_ARGUMENT', details: { field: 'certificate_request' } };

describe('a one-time token', () => {
  async function tryWith(token: string, privateKey = newKey().privateKey): Promise<unknown> {
    return enroll(token, await createCertificateRequest(privateKey, identityFor(token, privateKey)));
  }

  /** The same token with one byte of its secret part changed. */
  function changed(token: string, at: number): string {
    const [kind, subject, secret = ''] = token.split(':');
    const bytes = Buffer.from(secret, 'base64url');
    bytes[at]! ^= 1;
    return `${kind}:${subject}:${bytes.toString('base64url')}`;
  }

  it('cannot be guessed, and whoever guesses is not told what was right', async () => {
    const token = await deviceToken();
    const told = [];
    // A wrong id; an id that is right, with the first or the last byte of the secret wrong.
    for (const at of [0, 16, 47]) {
      const refusal = await rejection(tryWith(changed(token, at)));
      expect(refusal).toMatchObject(tokenInvalid);
      told.push(String(refusal));
    }
    expect(new Set(told).size).toBe(1);
    await tryWith(token);
  });

  it('is good for one key, and for that one again', async () => {
    const token = await deviceToken();
    const { privateKey } = newKey();
    await tryWith(token, privateKey);
    expect(await rejection(tryWith(token))).toMatchObject(tokenInvalid);
    await tryWith(token, privateKey);
  });

  it('has an end', async () => {
    const token = await deviceToken();
    fleet.clock.shiftMs = trustLimits.enrollmentTokenMs + 1000;
    try {
      expect(await rejection(tryWith(token))).toMatchObject(tokenInvalid);
    } finally {
      fleet.clock.shiftMs = 0;
    }
  });

  it('of an agent makes no device, that of a device no agent, and that of one account no device of another', async () => {
    const { privateKey, id } = newKey<AgentId & DeviceId>();
    const device: Identity = { kind: 'device', account: 'ben' as AccountName, deviceId: id };
    const agent: Identity = { kind: 'agent', premises: 'lisbon' as PremisesName, agentId: id };
    const attempts = [
      [await agentToken(), device],
      [await deviceToken(), agent],
      [await deviceToken('ana'), device],
    ] as const;
    for (const [token, identity] of attempts) {
      const request = await createCertificateRequest(privateKey, identity);
      expect(await rejection(enroll(token, request))).toMatchObject(requestInvalid);
      // Nor does it help to call the token by another name.
      const renamed = [identity.kind, identity.kind === 'agent' ? 'lisbon' : 'ben', token.split(':')[2]].join(':');
      expect(await rejection(enroll(renamed, request))).toMatchObject(tokenInvalid);
    }
  });

  it('that a stolen device had issued is void once the device is revoked', async () => {
    const stolen = await fleet.device('ana');
    const { token } = await stolen.calls.access.issueDeviceToken({ account: 'ana', validSeconds: 0 });
    await fleet.metadata.calls.access.revokeDevice({ deviceId: stolen.identity.deviceId });
    expect(await rejection(tryWith(token))).toMatchObject(tokenInvalid);
  });

  it('cannot be hoarded: one account has few, and others still get theirs', async () => {
    const { calls } = await fleet.device('ben');
    const issue = (): Promise<unknown> => calls.access.issueDeviceToken({ account: 'ben', validSeconds: 0 });
    const asked = Array.from({ length: trustLimits.enrollmentTokensPerAccount + 5 }, issue);
    const refused = (await Promise.allSettled(asked)).filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThanOrEqual(5);
    expect(refused[0]).toMatchObject({ reason: { code: 'RESOURCE_EXHAUSTED', reason: 'OVERLOADED' } });
    await deviceToken('ana');
  });
});

describe('a certificate request', () => {
  const nameOf = (key: KeyObject, token: string) => ({
    type: 'url' as const,
    value: identityUri(identityFor(token, key)),
  });

  it.each<[string, (key: KeyObject, token: string) => Promise<Uint8Array>]>([
    ['for metadata itself', (key) => requestNaming(key, [{ type: 'url', value: 'spiffe://drystone/metadata' }])],
    ['without a name', (key) => requestNaming(key, [])],
    [
      'with a second name',
      (key, token) => requestNaming(key, [nameOf(key, token), { type: 'dns', value: 'metadata' }]),
    ],
    ['with the id of another key', (key, token) => requestNaming(key, [nameOf(newKey().privateKey, token)])],
    ['signed with another key', (key, token) => requestNaming(key, [nameOf(key, token)], newKey().privateKey)],
    [
      'over a key of another kind',
      (key, token) =>
        requestNaming(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, [nameOf(key, token)]),
    ],
    ['that is too long', () => Promise.resolve(Buffer.alloc(trustLimits.certificateRequestBytes + 1))],
    ['that is none', () => Promise.resolve(Buffer.from('no request'))],
  ])('%s is refused', async (_, request) => {
    const token = await deviceToken();
    const { privateKey } = newKey();
    expect(await rejection(enroll(token, await request(privateKey, token)))).toMatchObject(requestInvalid);
    // The token has not been used up by it.
    await fleet.metadata.enrollment.join(token);
  });

  it('that asks to be a CA gets the certificate of a device and nothing more', async () => {
    const token = await deviceToken();
    const { privateKey } = newKey();
    const asked = [
      new BasicConstraintsExtension(true, 3, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ];
    const request = await requestNaming(privateKey, [nameOf(privateKey, token)], privateKey, asked);
    const { certificate } = await enroll(token, request);
    const issued = new X509Certificate(certificate!.certificateChain);
    expect(issued.ca).toBe(false);
    expect(issued.subjectAltName).toBe(`URI:${nameOf(privateKey, token).value}`);
    expect(issued.toString()).not.toContain('metadata');
    const lastsMs = Date.parse(issued.validTo) - Date.now();
    expect(lastsMs).toBeLessThanOrEqual(trustLimits.certificateMs + 1000);
  });
});

it('keys and tokens on disk are their owner’s alone', () => {
  const { metadata, agentDir } = fleet;
  const secrets = [
    ...['ca/ca.key', 'server.key', 'admin.token'].map((file) => join(metadata.dataDir, file)),
    ...['agent.key', 'agent.crt', 'token-keys.json'].map((file) => join(agentDir, file)),
  ];
  const modes = secrets.map((file) => [file, (statSync(file).mode & 0o077).toString(8)]);
  expect(modes).toEqual(secrets.map((file) => [file, '0']));
});
