import type { KeyObject } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  certificateTimes,
  identityOfCertificate,
  readCertificate,
} from '../../../../common/identity/certificate-facts.js';
import { createCertificateRequest } from '../../../../common/identity/certificates.js';
import { formatEnrollmentToken, parseEnrollmentToken } from '../../../../common/identity/enrollment-token.js';
import type { DeviceIdentity, Identity } from '../../../../common/identity/identity.js';
import { trustLimits, wireLimits } from '../../../../common/limits.js';
import { AccountRole } from '../../../../proto/gen/drystone/metadata/v1/access.js';
import type { EnrollRequest, EnrollResponse } from '../../../../proto/gen/drystone/metadata/v1/enrollment.js';
import { rejection } from '../../../support/async-tools.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { identityFor } from '../../../support/metadata/callers.js';
import { sampleAgent } from '../../../support/metadata/samples.js';
import { TestMetadata } from '../../../support/metadata/service.js';
import { newKey } from '../../../support/trust/test-authority.js';

const TOKEN_INVALID = { code: 'UNAUTHENTICATED', reason: 'TOKEN_INVALID' };
const invalid = (field: string) => ({ code: 'INVALID_ARGUMENT', details: { field } });

describe('EnrollmentService', () => {
  let metadata: TestMetadata;
  let clock: ManualClock;
  let key: KeyObject;

  beforeEach(async () => {
    clock = new ManualClock(Date.now());
    metadata = await TestMetadata.start({ clock });
    await metadata.calls.access.createAccount({ name: 'ana', role: AccountRole.MEMBER });
    key = newKey().privateKey;
  });
  afterEach(() => metadata.stop());

  const deviceToken = async (account = 'ana') =>
    (await metadata.calls.access.issueDeviceToken({ account, validSeconds: 0 })).token;
  const agentToken = async (premises = 'lisbon') =>
    (await metadata.calls.access.issueAgentToken({ premises, validSeconds: 0 })).token;

  /** Redeems a token as its holder would, but for what is changed. */
  async function enroll(
    token: string,
    change: Partial<EnrollRequest> & { identity?: Identity; key?: KeyObject } = {},
  ): Promise<EnrollResponse> {
    const { key: signer = key, identity = identityFor(token, signer), ...request } = change;
    const certificateRequest = await createCertificateRequest(signer, identity);
    const { calls } = metadata.enrollment;
    return calls.enrollment.enroll({ token, certificateRequest, displayName: '', ...request });
  }
  const devicesOf = async (account: string) =>
    (await metadata.calls.access.listDevices({ account, pageSize: 0, pageToken: '' })).devices;

  it('gives a device a certificate over its key, and knows it from then on', async () => {
    const token = await deviceToken();
    const { certificate } = await enroll(token, { displayName: "Ana's laptop" });
    const leaf = readCertificate(certificate!.certificateChain);
    const identity = identityFor(token, key) as DeviceIdentity;
    expect(identityOfCertificate(leaf.raw)).toEqual(identity);
    expect(leaf.checkPrivateKey(key)).toBe(true);
    const { notBeforeMs, notAfterMs } = certificateTimes(certificate!.certificateChain);
    expect(certificate!.expiresAtMs).toBe(BigInt(notAfterMs));
    const lastsMs = notAfterMs - notBeforeMs;
    expect(lastsMs / 1000).toBeCloseTo((trustLimits.certificateMs + trustLimits.certificateBackdateMs) / 1000, -1);
    expect(certificate!.trustedCertificates).toBe(metadata.enrollment.trustedPem);
    expect(await devicesOf('ana')).toEqual([
      {
        deviceId: identity.deviceId,
        account: 'ana',
        displayName: "Ana's laptop",
        enrolledAtMs: BigInt(clock.nowMs()),
        revokedAtMs: 0n,
      },
    ]);
  });

  it('gives an agent a certificate for its premises', async () => {
    const caller = await metadata.asAgent(sampleAgent('porto-1', 'porto'));
    const leaf = readCertificate(caller.held.credential.certificateChain);
    expect(identityOfCertificate(leaf.raw)).toMatchObject({ kind: 'agent', premises: 'porto' });
  });

  it('answers a repetition with the same key by another certificate, and enters it once', async () => {
    const token = await deviceToken();
    const [first, second] = [await enroll(token), await enroll(token)];
    expect(second.certificate!.certificateChain).not.toBe(first.certificate!.certificateChain);
    expect(await devicesOf('ana')).toHaveLength(1);
    const entries = await metadata.audit({ account: 'ana' });
    expect(entries.filter(({ action }) => action === 'device.enroll')).toHaveLength(1);
  });

  it('takes a token once: from whoever has redeemed it, and from nobody else', async () => {
    const token = await deviceToken();
    await enroll(token);
    await expect(enroll(token, { key: newKey().privateKey })).rejects.toMatchObject(TOKEN_INVALID);
    expect(await devicesOf('ana')).toHaveLength(1);
  });

  it('takes no token whose time is over, not even from whoever has redeemed it', async () => {
    const redeemed = await deviceToken();
    await enroll(redeemed);
    const waiting = await deviceToken();
    clock.advance(trustLimits.enrollmentTokenMs);
    await expect(enroll(waiting, { key: newKey().privateKey })).rejects.toMatchObject(TOKEN_INVALID);
    await expect(enroll(redeemed)).rejects.toMatchObject(TOKEN_INVALID);
  });

  it.each<[what: string, alter: (token: string) => string]>([
    ['another secret', (token) => altered(token, { secret: Buffer.alloc(32) })],
    ['an id that was never issued', (token) => altered(token, { id: Buffer.alloc(16) })],
    ['another account', (token) => token.replace(':ana:', ':admin:')],
    ['another kind', (token) => token.replace('device:', 'agent:')],
  ])('takes no token with %s', async (_what, alter) => {
    await expect(enroll(alter(await deviceToken()))).rejects.toMatchObject(TOKEN_INVALID);
  });

  it('does not repeat what is no token', async () => {
    const secret = 'device:ana:c2VjcmV0';
    const certificateRequest = await createCertificateRequest(key, identityFor(await deviceToken(), key));
    const { enrollment } = metadata.enrollment.calls;
    const refused = await rejection(enrollment.enroll({ token: secret, certificateRequest, displayName: '' }));
    expect(refused).toMatchObject(invalid('token'));
    expect((refused as Error).message).not.toContain('c2VjcmV0');
  });

  it('certifies nothing but what the token is for', async () => {
    const [device, agent, other] = [await deviceToken(), await agentToken(), await deviceToken('admin')];
    const refused = invalid('certificate_request');
    await expect(enroll(device, { identity: identityFor(agent, key) })).rejects.toMatchObject(refused);
    await expect(enroll(agent, { identity: identityFor(device, key) })).rejects.toMatchObject(refused);
    await expect(enroll(device, { identity: identityFor(other, key) })).rejects.toMatchObject(refused);
    const elsewhere = { ...identityFor(agent, key), premises: 'porto' } as Identity;
    await expect(enroll(agent, { identity: elsewhere })).rejects.toMatchObject(refused);
    await expect(enroll(device, { identity: { kind: 'metadata' } })).rejects.toMatchObject(refused);
    // Nothing of this has used the tokens up.
    await enroll(device);
    await enroll(agent);
  });

  it('certifies no name with the key of another', async () => {
    const token = await deviceToken();
    const other = identityFor(token, newKey().privateKey);
    await expect(enroll(token, { identity: other })).rejects.toMatchObject(invalid('certificate_request'));
    const request = Buffer.from(await createCertificateRequest(key, identityFor(token, key)));
    request[request.length - 1]! ^= 1;
    await expect(enroll(token, { certificateRequest: request })).rejects.toMatchObject(invalid('certificate_request'));
  });

  it.each<[what: string, field: string, change: Partial<EnrollRequest>]>([
    ['no request', 'certificate_request', { certificateRequest: Buffer.alloc(0) }],
    ['a long request', 'certificate_request', { certificateRequest: Buffer.alloc(5000) }],
    ['a long display name', 'display_name', { displayName: 'x'.repeat(wireLimits.displayTextBytes + 1) }],
    ['a display name of two lines', 'display_name', { displayName: 'a\nb' }],
    ['no token', 'token', { token: '' }],
    ['a long token', 'token', { token: 'x'.repeat(trustLimits.enrollmentTokenLength + 1) }],
  ])('refuses %s', async (_what, field, change) => {
    await expect(enroll(await deviceToken(), change)).rejects.toMatchObject(invalid(field));
  });

  it('does not take back a key that was revoked', async () => {
    const token = await deviceToken();
    await enroll(token);
    const { deviceId } = identityFor(token, key) as DeviceIdentity;
    await metadata.calls.access.revokeDevice({ deviceId });
    const refusal = { code: 'PERMISSION_DENIED', reason: 'IDENTITY_REVOKED' };
    await expect(enroll(await deviceToken())).rejects.toMatchObject(refusal);
  });

  it('does not let a device act for a second account', async () => {
    await enroll(await deviceToken());
    const refusal = { code: 'PERMISSION_DENIED', reason: 'ROLE_INSUFFICIENT' };
    await expect(enroll(await deviceToken('admin'))).rejects.toMatchObject(refusal);
  });

  it('renews the certificate of its holder, over the same key', async () => {
    const caller = await metadata.asDevice('ana');
    const { identity, held, calls } = caller;
    const certificateRequest = await createCertificateRequest(held.privateKey, identity);
    const { certificate } = await calls.enrollment.renewCertificate({ certificateRequest });
    const leaf = readCertificate(certificate!.certificateChain);
    expect(identityOfCertificate(leaf.raw)).toEqual(identity);
    expect(leaf.checkPrivateKey(held.privateKey)).toBe(true);
    expect(leaf.serialNumber).not.toBe(readCertificate(held.credential.certificateChain).serialNumber);
    const agent = await metadata.asAgent(sampleAgent('lisbon'));
    const ofAgent = await createCertificateRequest(agent.held.privateKey, agent.identity);
    await agent.calls.enrollment.renewCertificate({ certificateRequest: ofAgent });
  });

  it('renews for nobody else, and not with another key', async () => {
    const { identity, calls } = await metadata.asDevice('ana');
    const other = await metadata.asDevice('ana');
    const requests = [
      await createCertificateRequest(other.held.privateKey, other.identity),
      await createCertificateRequest(newKey().privateKey, identity),
    ];
    for (const certificateRequest of requests) {
      const refused = calls.enrollment.renewCertificate({ certificateRequest });
      await expect(refused).rejects.toMatchObject(invalid('certificate_request'));
    }
    const [certificateRequest] = requests as [Uint8Array];
    const anonymous = metadata.enrollment.calls.enrollment.renewCertificate({ certificateRequest });
    await expect(anonymous).rejects.toMatchObject({ code: 'UNAUTHENTICATED', reason: 'CERTIFICATE_MISSING' });
  });

  it('counts the tokens that it issues', async () => {
    const issued = (kind: string) => metadata.metric(`drystone_metadata_tokens_issued_total{kind="${kind}"}`);
    const before = await issued('device');
    await deviceToken();
    await agentToken();
    expect([(await issued('device')) - before, await issued('agent'), await issued('access')]).toEqual([1, 1, 0]);
  });
});

function altered(token: string, change: { id?: Buffer; secret?: Buffer }): string {
  return formatEnrollmentToken({ ...parseEnrollmentToken('token', token), ...change });
}
