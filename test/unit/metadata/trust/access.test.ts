import { beforeEach, describe, expect, it } from 'vitest';
import type { DeviceIdentity } from '../../../../common/identity/identity.js';
import type { NamespaceId } from '../../../../common/ids.js';
import type { MetadataStore } from '../../../../metadata/store/contract.js';
import { createMemoryStore } from '../../../../metadata/store/memory-store.js';
import type { MemberRole } from '../../../../metadata/store/rows.js';
import { Access } from '../../../../metadata/trust/access.js';
import { deferred } from '../../../support/async-tools.js';
import { ben, enrollDevice, furnish, lisbon, other, shared } from '../../../support/metadata/furnished-store.js';
import {
  accountNamed,
  auditEntry,
  deviceNamed,
  namespaceIdNamed,
  SAMPLE_TIME_MS,
} from '../../../support/metadata/samples.js';

const INSUFFICIENT = { code: 'PERMISSION_DENIED', reason: 'ROLE_INSUFFICIENT' };
const UNKNOWN = { code: 'NOT_FOUND', reason: 'NAMESPACE_UNKNOWN' };
const REVOKED = { code: 'UNAUTHENTICATED', reason: 'IDENTITY_REVOKED' };

describe('Access', () => {
  let store: MetadataStore;
  let access: Access;
  let device: DeviceIdentity;

  beforeEach(async () => {
    store = createMemoryStore();
    await furnish(store);
    const { id } = await enrollDevice(store, ben, 'laptop');
    device = { kind: 'device', deviceId: id, account: ben };
    access = new Access(store);
  });

  const share = (role: MemberRole, id: NamespaceId = shared.id) =>
    store.accounts.putMember(id, { account: ben, role }, auditEntry('namespace.share', ben));
  const unshare = () => store.accounts.removeMember(shared.id, ben, auditEntry('namespace.unshare', ben));
  const revoke = () => store.accounts.revokeDevice(device.deviceId, SAMPLE_TIME_MS, auditEntry('device.revoke', 'x'));

  it.each<[held: MemberRole, allowed: readonly MemberRole[], refused: readonly MemberRole[]]>([
    ['reader', ['reader'], ['editor', 'owner']],
    ['editor', ['reader', 'editor'], ['owner']],
    ['owner', ['reader', 'editor', 'owner'], []],
  ])('lets the %s do what those before it may', async (held, allowed, refused) => {
    await share(held);
    for (const role of allowed) expect(await access.authorise(device, shared.id, role)).toMatchObject(shared);
    for (const role of refused) {
      await expect(access.authorise(device, shared.id, role)).rejects.toMatchObject(INSUFFICIENT);
    }
  });

  it('tells no namespace of which the account is no member from one that is not there', async () => {
    await share('owner');
    for (const id of [other.id, namespaceIdNamed('nowhere')]) {
      await expect(access.authorise(device, id, 'reader')).rejects.toMatchObject(UNKNOWN);
    }
    await expect(access.administrate(device, other.name, 'reader')).rejects.toMatchObject({
      ...UNKNOWN,
      message: expect.not.stringContaining(other.id) as string,
    });
  });

  it('asks the store once as long as nothing changes', async () => {
    await share('editor');
    let readings = 0;
    const counting = new Access({
      ...store,
      onChange: (listener) => store.onChange(listener),
      directory: Object.create(store.directory, {
        getNamespace: {
          value: (id: NamespaceId) => {
            readings++;
            return store.directory.getNamespace(id);
          },
        },
      }) as MetadataStore['directory'],
    });
    for (let asked = 0; asked < 5; asked++) await counting.authorise(device, shared.id, 'editor');
    expect(readings).toBe(1);
    await store.directory.registerAgent(lisbon.id, { address: 'elsewhere:1', softwareVersion: '2' });
    await counting.authorise(device, shared.id, 'editor');
    expect(readings).toBe(2);
  });

  it('heeds every change from the moment at which it is acknowledged', async () => {
    await share('editor');
    await access.authorise(device, shared.id, 'editor');
    await share('reader');
    await expect(access.authorise(device, shared.id, 'editor')).rejects.toMatchObject(INSUFFICIENT);
    await access.authorise(device, shared.id, 'reader');
    await unshare();
    await expect(access.authorise(device, shared.id, 'reader')).rejects.toMatchObject(UNKNOWN);
    await share('owner');
    await access.authorise(device, shared.id, 'owner');
    await revoke();
    await expect(access.authorise(device, shared.id, 'reader')).rejects.toMatchObject(REVOKED);
    await expect(access.requireUnrevoked(device)).rejects.toMatchObject(REVOKED);
  });

  it('keeps nothing of a reading during which something has changed', async () => {
    await share('editor');
    const answered = deferred();
    let asked = 0;
    const slow = new Access({
      ...store,
      onChange: (listener) => store.onChange(listener),
      accounts: Object.create(store.accounts, {
        roleOf: {
          value: async (...question: Parameters<MetadataStore['accounts']['roleOf']>) => {
            const role = await store.accounts.roleOf(...question);
            if (asked++ === 0) await answered.promise;
            return role;
          },
        },
      }) as MetadataStore['accounts'],
    });
    const early = slow.authorise(device, shared.id, 'editor');
    await unshare();
    answered.resolve();
    // It was asked before the change, and may be answered either way; what is asked after it may not.
    await early;
    await expect(slow.authorise(device, shared.id, 'editor')).rejects.toMatchObject(UNKNOWN);
  });

  it('knows nobody who has not joined, or not as what they say', async () => {
    const account = accountNamed('ana');
    expect(await access.isRevoked({ ...device, deviceId: deviceNamed('stranger') })).toBe(true);
    expect(await access.isRevoked({ ...device, account })).toBe(true);
    expect(await access.isRevoked(device)).toBe(false);
    const agent = { kind: 'agent', agentId: lisbon.id, premises: lisbon.row.premises } as const;
    expect(await access.isRevoked(agent)).toBe(false);
    expect(await access.isRevoked({ ...agent, premises: 'porto' as typeof agent.premises })).toBe(true);
    await store.directory.revokeAgent(lisbon.id, SAMPLE_TIME_MS, auditEntry('agent.revoke', lisbon.id));
    expect(await access.isRevoked(agent)).toBe(true);
  });

  it('lets administrators see to every namespace, and read none of which they are no members', async () => {
    const { id } = await enrollDevice(store, accountNamed('ana'), 'desk');
    const administrator: DeviceIdentity = { kind: 'device', deviceId: id, account: accountNamed('ana') };
    await store.accounts.putMember(shared.id, { account: ben, role: 'owner' }, auditEntry('namespace.share', ben));
    await store.accounts.removeMember(shared.id, accountNamed('ana'), auditEntry('namespace.unshare', 'ana'));
    expect(await access.administrate(administrator, shared.name, 'owner')).toMatchObject(shared);
    expect(await access.administrate(administrator, shared.name, undefined)).toMatchObject(shared);
    await expect(access.authorise(administrator, shared.id, 'reader')).rejects.toMatchObject(UNKNOWN);
    await expect(access.administrate(device, shared.name, undefined)).rejects.toMatchObject(INSUFFICIENT);
    await expect(access.requireAdministrator(device)).rejects.toMatchObject(INSUFFICIENT);
  });
});
