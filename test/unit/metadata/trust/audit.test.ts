import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeWireItems, endorse } from '../../../../common/feed/endorsement.js';
import { itemToWire } from '../../../../common/feed/item-codec.js';
import { createCertificateRequest } from '../../../../common/identity/certificates.js';
import { describeIdentity, type DeviceIdentity } from '../../../../common/identity/identity.js';
import type { NamespaceId } from '../../../../common/ids.js';
import { wireLimits } from '../../../../common/limits.js';
import { auditActions } from '../../../../metadata/store/rows.js';
import { AccountRole, MemberRole, type AuditEntry } from '../../../../proto/gen/drystone/metadata/v1/access.js';
import { collect, streamOf } from '../../../support/async-tools.js';
import type { TestCaller } from '../../../support/metadata/callers.js';
import { itemAt, sampleAgent } from '../../../support/metadata/samples.js';
import { TestMetadata } from '../../../support/metadata/service.js';

const lisbon = sampleAgent('lisbon');

describe('the audit log', () => {
  let metadata: TestMetadata;
  let admin: string;

  beforeEach(async () => {
    metadata = await TestMetadata.start();
    admin = describeIdentity(metadata.administrator.identity);
  });
  afterEach(() => metadata.stop());

  /** Lets the agent commit what a device has pushed to it. */
  async function passOn({ identity, held }: TestCaller<DeviceIdentity>, namespaceId: NamespaceId): Promise<void> {
    const items = [{ ...itemToWire(itemAt('a')), authorDeviceId: identity.deviceId }];
    const claim = { namespaceId, pushedAtMs: 1_700_000_000_000, items: encodeWireItems(items) };
    const request = { namespaceId, items, receipts: [], endorsement: endorse(claim, held.privateKey) };
    const { calls } = await metadata.asAgent(lisbon);
    await collect(calls.feed.push(streamOf(request)));
  }

  /** Does everything once, and says what the log should say of it: who, what, to what, where, and with what facts. */
  async function doEverything(): Promise<{ ana: TestCaller<DeviceIdentity>; expected: Partial<AuditEntry>[] }> {
    const { access, admin: fleet } = metadata.calls;
    const expected: Partial<AuditEntry>[] = [];
    const expectEntry = (actor: string, action: string, subject: unknown, more: Partial<AuditEntry> = {}): void => {
      expected.push({ actor, action, subject: subject as string, namespaceName: '', ...more });
    };
    const any = expect.any(String) as string;

    expectEntry('metadata', 'ca.create', expect.stringMatching(/^[0-9a-f]{64}$/));
    expectEntry('metadata', 'token-key.create', any, { facts: { activeFrom: any } });
    expectEntry('metadata', 'account.create', 'admin', { facts: { role: 'administrator' } });
    expectEntry('metadata', 'token.issue', any, { facts: { kind: 'device', account: 'admin', expires: any } });
    expectEntry(admin, 'device.enroll', metadata.administrator.identity.deviceId, { facts: { token: any } });

    await metadata.online(lisbon);
    expectEntry(admin, 'token.issue', any, { facts: { kind: 'agent', premises: 'lisbon', expires: any } });
    expectEntry(`agent lisbon/${lisbon.id}`, 'agent.enroll', lisbon.id, { facts: { token: any } });
    const ana = await metadata.asDevice('ana');
    const { deviceId } = ana.identity;
    expectEntry(admin, 'account.create', 'ana', { facts: { role: 'member' } });
    expectEntry(admin, 'token.issue', any, { facts: { kind: 'device', account: 'ana', expires: any } });
    expectEntry(`device ana/${deviceId}`, 'device.enroll', deviceId, { facts: { token: any } });
    for (const role of ['administrator', 'member']) {
      const wireRole = role === 'member' ? AccountRole.MEMBER : AccountRole.ADMINISTRATOR;
      await access.setAccountRole({ name: 'ana', role: wireRole });
      expectEntry(admin, 'account.role', 'ana', { facts: { role } });
    }

    const { namespace } = await fleet.createNamespace({ name: 'shared', replicas: 1 });
    const here = { namespaceName: 'shared' };
    expectEntry(admin, 'namespace.create', namespace!.namespaceId, {
      ...here,
      facts: { replicas: '1', agents: lisbon.id },
    });
    await fleet.setAssignment({ namespaceName: 'shared', agentIds: [lisbon.id] });
    expectEntry(admin, 'namespace.assign', namespace!.namespaceId, { ...here, facts: { agents: lisbon.id } });
    await access.shareNamespace({ namespaceName: 'shared', account: 'ana', role: MemberRole.EDITOR });
    expectEntry(admin, 'namespace.share', 'ana', { ...here, facts: { role: 'editor' } });
    await passOn(ana, namespace!.namespaceId as NamespaceId);
    expectEntry(`agent lisbon/${lisbon.id}`, 'commit.provisional', deviceId, {
      ...here,
      facts: { items: '1', pushedAt: '2023-11-14T22:13:20.000Z' },
    });
    await ana.calls.access.unshareNamespace({ namespaceName: 'shared', account: 'ana' });
    expectEntry(`device ana/${deviceId}`, 'namespace.unshare', 'ana', { ...here, facts: {} });

    const certificateRequest = await createCertificateRequest(ana.held.privateKey, ana.identity);
    await ana.calls.enrollment.renewCertificate({ certificateRequest });
    expectEntry(`device ana/${deviceId}`, 'certificate.renew', deviceId);
    await access.revokeDevice({ deviceId });
    expectEntry(admin, 'device.revoke', deviceId);
    await access.revokeAgent({ agentId: lisbon.id });
    expectEntry(admin, 'agent.revoke', lisbon.id);
    return { ana, expected };
  }

  it('says of everything who did it, to what and where, in the order in which it was done', async () => {
    const { expected } = await doEverything();
    const entries = await metadata.audit();
    expect(entries).toEqual(expected.map((entry) => expect.objectContaining(entry) as AuditEntry));
    expect(entries.map(({ sequence }) => sequence)).toEqual(expected.map((_, index) => BigInt(index + 1)));
    for (const { atMs } of entries) expect(Math.abs(Number(atMs) - Date.now())).toBeLessThan(60_000);
    // What an operator's own CA leaves behind is in fleet-ca.test.ts.
    const done = new Set(entries.map(({ action }) => action));
    expect(auditActions.filter((action) => !done.has(action))).toEqual(['ca.import']);
  });

  it('has no entry for what was refused, or changed nothing', async () => {
    const { ana } = await doEverything();
    const before = (await metadata.audit()).length;
    const { access, admin: fleet } = metadata.calls;
    const attempts = [
      access.createAccount({ name: 'ana', role: AccountRole.MEMBER }),
      access.setAccountRole({ name: 'admin', role: AccountRole.MEMBER }),
      access.shareNamespace({ namespaceName: 'shared', account: 'nobody', role: MemberRole.READER }),
      access.unshareNamespace({ namespaceName: 'shared', account: 'admin' }),
      fleet.createNamespace({ name: 'shared', replicas: 1 }),
      access.issueDeviceToken({ account: 'nobody', validSeconds: 0 }),
      ana.calls.access.issueAgentToken({ premises: 'porto', validSeconds: 0 }),
    ];
    for (const { status } of await Promise.allSettled(attempts)) expect(status).toBe('rejected');
    await access.unshareNamespace({ namespaceName: 'shared', account: 'ana' });
    await access.revokeDevice({ deviceId: ana.identity.deviceId });
    await access.revokeAgent({ agentId: lisbon.id });
    expect(await metadata.audit()).toHaveLength(before);
  });

  it('can be asked for a namespace, for an account, and for what came after', async () => {
    const { ana } = await doEverything();
    const all = await metadata.audit();
    const numbers = (entries: readonly AuditEntry[]) => entries.map(({ sequence }) => sequence);
    const where = (test: (entry: AuditEntry) => boolean) => numbers(all.filter(test));
    expect(numbers(await metadata.audit({ namespaceName: 'shared' }))).toEqual(
      where(({ namespaceName }) => namespaceName === 'shared'),
    );
    const hers = [describeIdentity(ana.identity), 'ana', ana.identity.deviceId];
    expect(numbers(await metadata.audit({ account: 'ana' }))).toEqual(
      where(({ actor, subject, facts }) => [actor, subject, facts.account ?? ''].some((word) => hers.includes(word))),
    );
    const { access } = metadata.calls;
    const request = { afterSequence: 2n, namespaceName: '', account: '', pageSize: 3 };
    const page = await access.listAuditEntries(request);
    expect(numbers(page.entries)).toEqual([3n, 4n, 5n]);
    expect(page).toMatchObject({ nextSequence: 5n, caughtUp: false });
    const rest = await access.listAuditEntries({ ...request, afterSequence: 5n, pageSize: 0 });
    expect(rest).toMatchObject({ nextSequence: BigInt(all.length), caughtUp: true });
  });

  it.each<[field: string, change: object]>([
    ['page_size', { pageSize: wireLimits.rowsPerPage + 1 }],
    ['namespace_name', { namespaceName: 'No Name' }],
    ['account', { account: 'No Name' }],
    ['after_sequence', { afterSequence: 2n ** 63n }],
  ])('refuses a bad %s', async (field, change) => {
    await expect(metadata.audit(change)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', details: { field } });
  });

  it('never holds a secret', async () => {
    const { token } = await metadata.calls.access.issueDeviceToken({ account: 'admin', validSeconds: 0 });
    const secret = Buffer.from(token.split(':')[2]!, 'base64url').subarray(16, 48);
    const text = JSON.stringify(await metadata.audit(), (_key, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value,
    );
    for (const encoding of ['hex', 'base64', 'base64url'] as const)
      expect(text).not.toContain(secret.toString(encoding));
    expect(text).not.toContain(token.slice(-40));
  });
});
