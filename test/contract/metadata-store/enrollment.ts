import { describe, expect, it } from 'vitest';
import type { AccountName, PremisesName } from '../../../common/ids.js';
import { trustLimits } from '../../../common/limits.js';
import type { MetadataStore, NewHolder } from '../../../metadata/store/contract.js';
import type { EnrollmentTokenRow } from '../../../metadata/store/rows.js';
import { ana, ben, enrollAgent, enrollDevice, lisbon, porto } from '../../support/metadata/furnished-store.js';
import {
  accountNamed,
  auditEntry,
  deviceNamed,
  sampleAgent,
  SAMPLE_TIME_MS,
  sampleToken,
  type SampleAgent,
} from '../../support/metadata/samples.js';
import { expectRefusal, tracesOf } from './audit-log.js';

const tokenInvalid = { code: 'UNAUTHENTICATED', reason: 'TOKEN_INVALID' } as const;
const identityRevoked = { code: 'PERMISSION_DENIED', reason: 'IDENTITY_REVOKED' } as const;
const overloaded = { code: 'RESOURCE_EXHAUSTED', reason: 'OVERLOADED' } as const;
const roleInsufficient = { code: 'PERMISSION_DENIED', reason: 'ROLE_INSUFFICIENT' } as const;

const faro = sampleAgent('faro', 'faro');

const agentHolder = ({ row: { id, publicKey, premises } }: SampleAgent): NewHolder => ({
  kind: 'agent',
  agent: { id, publicKey, premises },
});
const deviceHolder = (name: string, account: AccountName, displayName = name): NewHolder => ({
  kind: 'device',
  device: { id: deviceNamed(name), account, displayName },
});
const tokenFor = (name: string, premises: PremisesName = faro.row.premises) =>
  sampleToken(name, { kind: 'agent', premises });
const tokenOf = (name: string, account: AccountName) => sampleToken(name, { kind: 'device', account });

/** Issues a token, whose subject in the audit log is `token`. */
function issue(store: MetadataStore, token: EnrollmentTokenRow, atMs = SAMPLE_TIME_MS): Promise<void> {
  return store.enrollment.createToken(token, auditEntry('token.issue', 'token', { atMs }));
}

function redeem(
  store: MetadataStore,
  { id }: EnrollmentTokenRow,
  holder: NewHolder,
  atMs = SAMPLE_TIME_MS,
): Promise<void> {
  const action = holder.kind === 'agent' ? 'agent.enroll' : 'device.enroll';
  return store.enrollment.redeemToken(id, atMs, holder, auditEntry(action, holder.kind, { atMs }));
}

/** What a store promises of one-time tokens. */
export function describeEnrollment(open: () => Promise<MetadataStore>): void {
  describe('enrollment', () => {
    describeTokens(open);
    describeRedemption(open);
    describeRefusals(open);
  });
}

function describeTokens(open: () => Promise<MetadataStore>): void {
  it('keeps a token as it was issued', async () => {
    const store = await open();
    const token = tokenOf('1', ben);
    expect(await store.enrollment.getToken(token.id)).toBeUndefined();
    expect(await tracesOf(store, () => issue(store, token))).toEqual(['token.issue token']);
    expect(await store.enrollment.getToken(token.id)).toEqual(token);
    await expectRefusal(store, () => issue(store, tokenOf('2', accountNamed('nobody'))), {
      code: 'NOT_FOUND',
      reason: 'ACCOUNT_UNKNOWN',
    });
    expect(await store.enrollment.getToken(tokenOf('2', ben).id)).toBeUndefined();
  });

  it('forgets tokens that have expired when the next is issued, redeemed or not', async () => {
    const store = await open();
    const [first, used, later] = [tokenOf('1', ben), tokenOf('2', ben), tokenOf('3', ben)];
    for (const token of [first, used]) await issue(store, token);
    await issue(store, { ...later, expiresAtMs: first.expiresAtMs + 1 });
    await redeem(store, used, deviceHolder('laptop', ben));
    await issue(store, tokenOf('4', ben), first.expiresAtMs - 1);
    expect(await store.enrollment.getToken(first.id)).toBeDefined();
    await issue(store, tokenOf('5', ben), first.expiresAtMs);
    expect(await store.enrollment.getToken(first.id)).toBeUndefined();
    expect(await store.enrollment.getToken(used.id)).toBeUndefined();
    expect(await store.enrollment.getToken(later.id)).toBeDefined();
    expect(await store.accounts.getDevice(deviceNamed('laptop'))).toBeDefined();
  });

  it('lets so many tokens wait and no more', async () => {
    const store = await open();
    const first = { ...tokenFor('0'), expiresAtMs: SAMPLE_TIME_MS + 1 };
    const others = Array.from({ length: trustLimits.enrollmentTokens - 1 }, (_, index) => tokenFor(`${index + 1}`));
    await Promise.all([first, ...others].map((token) => issue(store, token)));
    const next = tokenFor('next');
    await expectRefusal(store, () => issue(store, next), overloaded);
    // One that is used makes room for another.
    await redeem(store, first, agentHolder(faro));
    await issue(store, next);
    // What a refused issue would have forgotten is still there.
    await expectRefusal(store, () => issue(store, tokenFor('next but one'), first.expiresAtMs), overloaded);
    expect(await store.enrollment.getToken(first.id)).toBeDefined();
    // Once they have expired there is room for all.
    const again = [first, ...others].map((token) => ({ ...token, expiresAtMs: next.expiresAtMs * 2 }));
    await Promise.all(again.map((token) => issue(store, token, next.expiresAtMs)));
    expect(await store.enrollment.getToken(next.id)).toBeUndefined();
    await expectRefusal(store, () => issue(store, next, next.expiresAtMs), overloaded);
  });

  it('lets an account have so many tokens wait, and leaves the rest to others', async () => {
    const store = await open();
    const tokens = Array.from({ length: trustLimits.enrollmentTokensPerAccount }, (_, index) =>
      tokenOf(`${index}`, ben),
    );
    await Promise.all(tokens.map((token) => issue(store, token)));
    const next = tokenOf('next', ben);
    await expectRefusal(store, () => issue(store, next), overloaded);
    await issue(store, tokenOf('of ana', ana));
    await issue(store, tokenFor('of an agent'));
    // One that is used makes room for another.
    await redeem(store, tokens[0]!, deviceHolder('laptop', ben));
    await issue(store, next);
    await expectRefusal(store, () => issue(store, tokenOf('next but one', ben)), overloaded);
    // Once they have expired there is room for all.
    const again = tokens.map((token) => ({ ...token, expiresAtMs: next.expiresAtMs * 2 }));
    await Promise.all(again.map((token) => issue(store, token, next.expiresAtMs)));
    await expectRefusal(store, () => issue(store, next, next.expiresAtMs), overloaded);
  });

  it('voids the waiting tokens of an account when one of its devices is revoked, and no others', async () => {
    const store = await open();
    const [first, second, used, ofAna] = [tokenOf('1', ben), tokenOf('2', ben), tokenOf('3', ben), tokenOf('4', ana)];
    const ofAgent = tokenFor('5');
    for (const token of [first, second, used, ofAna, ofAgent]) await issue(store, token);
    await redeem(store, used, deviceHolder('laptop', ben));
    await enrollDevice(store, ben, 'stolen');
    await store.accounts.revokeDevice(deviceNamed('stolen'), 5, auditEntry('device.revoke', 'stolen'));
    for (const token of [first, second]) {
      await expectRefusal(store, () => redeem(store, token, deviceHolder('of the thief', ben)), tokenInvalid);
    }
    await redeem(store, used, deviceHolder('laptop', ben));
    await redeem(store, ofAna, deviceHolder('phone', ana));
    await redeem(store, ofAgent, agentHolder(faro));
    // They no longer count.
    const tokens = Array.from({ length: trustLimits.enrollmentTokensPerAccount }, (_, index) =>
      tokenOf(`n${index}`, ben),
    );
    await Promise.all(tokens.map((token) => issue(store, token)));
    await expectRefusal(store, () => issue(store, first), overloaded);
  });
}

function describeRedemption(open: () => Promise<MetadataStore>): void {
  it('makes an agent known, without an address', async () => {
    const store = await open();
    const token = tokenFor('1');
    await issue(store, token);
    const work = () => redeem(store, token, agentHolder(faro), SAMPLE_TIME_MS + 5);
    expect(await tracesOf(store, work)).toEqual(['agent.enroll agent', 'directory']);
    const row = { ...faro.row, enrolledAtMs: SAMPLE_TIME_MS + 5, address: '', softwareVersion: '' };
    expect(await store.directory.getAgents([faro.id])).toEqual([row]);
    expect(await store.enrollment.getToken(token.id)).toEqual({ ...token, redeemedBy: faro.id });
  });

  it('makes a device known', async () => {
    const store = await open();
    const token = tokenOf('1', ben);
    await issue(store, token);
    const work = () => redeem(store, token, deviceHolder('laptop', ben), SAMPLE_TIME_MS + 5);
    expect(await tracesOf(store, work)).toEqual(['device.enroll device', 'directory']);
    expect(await store.accounts.getDevice(deviceNamed('laptop'))).toEqual({
      id: deviceNamed('laptop'),
      account: ben,
      displayName: 'laptop',
      enrolledAtMs: SAMPLE_TIME_MS + 5,
      revokedAtMs: undefined,
    });
    expect(await store.enrollment.getToken(token.id)).toMatchObject({ redeemedBy: deviceNamed('laptop') });
  });

  it('may be repeated by the same one, and then changes nothing', async () => {
    const store = await open();
    const token = tokenOf('1', ben);
    await issue(store, token);
    await redeem(store, token, deviceHolder('laptop', ben));
    const before = await store.accounts.getDevice(deviceNamed('laptop'));
    const again = () => redeem(store, token, deviceHolder('laptop', ben, 'renamed'), SAMPLE_TIME_MS + 9);
    expect(await tracesOf(store, again)).toEqual([]);
    expect(await store.accounts.getDevice(deviceNamed('laptop'))).toEqual(before);
  });

  it('takes who is known already with a new token, and leaves it as it is', async () => {
    const store = await open();
    await enrollDevice(store, ben, 'laptop');
    const before = await store.accounts.getDevice(deviceNamed('laptop'));
    const [token, other] = [tokenOf('1', ben), tokenFor('2', lisbon.row.premises)];
    await issue(store, token);
    await issue(store, other);
    const back = () => redeem(store, token, deviceHolder('laptop', ben, 'renamed'), SAMPLE_TIME_MS + 9);
    expect(await tracesOf(store, back)).toEqual(['device.enroll device', 'directory']);
    expect(await store.accounts.getDevice(deviceNamed('laptop'))).toEqual(before);
    await redeem(store, other, agentHolder(lisbon), SAMPLE_TIME_MS + 9);
    expect(await store.directory.getAgents([lisbon.id])).toEqual([lisbon.row]);
  });

  it('is for one of two who come at the same time', async () => {
    const store = await open();
    const token = tokenOf('1', ben);
    await issue(store, token);
    const asks = ['laptop', 'phone'].map((name) => redeem(store, token, deviceHolder(name, ben)));
    expect(await Promise.allSettled(asks)).toMatchObject([{ status: 'fulfilled' }, { reason: tokenInvalid }]);
    expect(await store.accounts.getDevice(deviceNamed('phone'))).toBeUndefined();
  });
}

function describeRefusals(open: () => Promise<MetadataStore>): void {
  it('refuses a token that is not there, has expired or is used, all with the same words', async () => {
    const store = await open();
    const [used, expired] = [tokenOf('1', ben), tokenOf('2', ben)];
    for (const token of [used, expired]) await issue(store, token);
    await redeem(store, used, deviceHolder('laptop', ben));
    const phone = deviceHolder('phone', ben);
    const attempts = [
      () => redeem(store, tokenOf('none', ben), phone),
      () => redeem(store, used, phone),
      () => redeem(store, expired, phone, expired.expiresAtMs),
      () => redeem(store, used, deviceHolder('laptop', ben), used.expiresAtMs),
    ];
    for (const attempt of attempts) await expectRefusal(store, attempt, tokenInvalid);
    const outcomes = await Promise.allSettled(attempts.map((attempt) => attempt()));
    expect(new Set(outcomes.map((outcome) => outcome.status === 'rejected' && String(outcome.reason))).size).toBe(1);
    expect(await store.accounts.getDevice(deviceNamed('phone'))).toBeUndefined();
    await redeem(store, expired, phone, expired.expiresAtMs - 1);
  });

  it('refuses a token for anything but what it was issued for', async () => {
    const store = await open();
    const [ofDevice, ofAgent] = [tokenOf('1', ben), tokenFor('2')];
    for (const token of [ofDevice, ofAgent]) await issue(store, token);
    await expectRefusal(store, () => redeem(store, ofDevice, deviceHolder('laptop', ana)), tokenInvalid);
    await expectRefusal(store, () => redeem(store, ofDevice, agentHolder(faro)), tokenInvalid);
    await expectRefusal(store, () => redeem(store, ofAgent, deviceHolder('laptop', ben)), tokenInvalid);
    await expectRefusal(store, () => redeem(store, ofAgent, agentHolder(sampleAgent('evora', 'evora'))), tokenInvalid);
  });

  it('takes nobody back who was revoked, and leaves the token', async () => {
    const store = await open();
    const { id } = await enrollDevice(store, ben, 'laptop');
    await store.accounts.revokeDevice(id, 5, auditEntry('device.revoke', id));
    await store.directory.revokeAgent(porto.id, 5, auditEntry('agent.revoke', porto.id));
    const [ofDevice, ofAgent] = [tokenOf('1', ben), tokenFor('2', porto.row.premises)];
    for (const token of [ofDevice, ofAgent]) await issue(store, token);
    await expectRefusal(store, () => redeem(store, ofDevice, deviceHolder('laptop', ben)), identityRevoked);
    await expectRefusal(store, () => redeem(store, ofAgent, agentHolder(porto)), identityRevoked);
    await redeem(store, ofDevice, deviceHolder('phone', ben));
    expect(await store.accounts.getDevice(id)).toMatchObject({ revokedAtMs: 5 });
  });

  it('gives nobody a second token of a device that was revoked after it was used', async () => {
    const store = await open();
    const token = tokenOf('1', ben);
    await issue(store, token);
    await redeem(store, token, deviceHolder('laptop', ben));
    await store.accounts.revokeDevice(deviceNamed('laptop'), 5, auditEntry('device.revoke', 'laptop'));
    await expectRefusal(store, () => redeem(store, token, deviceHolder('laptop', ben)), identityRevoked);
  });

  it('leaves a device to its account, and an agent to its premises', async () => {
    const store = await open();
    await enrollDevice(store, ana, 'laptop');
    await enrollAgent(store, faro);
    const moved: SampleAgent = { ...faro, row: { ...faro.row, premises: lisbon.row.premises } };
    const [ofDevice, ofAgent] = [tokenOf('1', ben), tokenFor('2', moved.row.premises)];
    for (const token of [ofDevice, ofAgent]) await issue(store, token);
    await expectRefusal(store, () => redeem(store, ofDevice, deviceHolder('laptop', ben)), roleInsufficient);
    await expectRefusal(store, () => redeem(store, ofAgent, agentHolder(moved)), roleInsufficient);
    expect(await store.accounts.getDevice(deviceNamed('laptop'))).toMatchObject({ account: ana });
    expect((await store.accounts.listDevices(ben, undefined, 10)).rows).toEqual([]);
    expect(await store.enrollment.getToken(ofDevice.id)).toEqual(ofDevice);
  });
}
