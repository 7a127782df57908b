import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseEnrollmentToken } from '../../../../common/identity/enrollment-token.js';
import type { DeviceIdentity } from '../../../../common/identity/identity.js';
import { trustLimits, wireLimits } from '../../../../common/limits.js';
import { AccountRole, MemberRole } from '../../../../proto/gen/drystone/metadata/v1/access.js';
import { rejection } from '../../../support/async-tools.js';
import type { TestCaller } from '../../../support/metadata/callers.js';
import { deviceNamed, sampleAgent } from '../../../support/metadata/samples.js';
import { TestMetadata, type TestNamespace } from '../../../support/metadata/service.js';

const INSUFFICIENT = { code: 'PERMISSION_DENIED', reason: 'ROLE_INSUFFICIENT' };
const UNKNOWN = { code: 'NOT_FOUND', reason: 'NAMESPACE_UNKNOWN' };
const invalid = (field: string) => ({ code: 'INVALID_ARGUMENT', details: { field } });
const first = { pageSize: 0, pageToken: '' };

describe('AccessService', () => {
  let metadata: TestMetadata;
  let namespace: TestNamespace;
  let ana: TestCaller<DeviceIdentity>;
  let ben: TestCaller<DeviceIdentity>;

  beforeEach(async () => {
    metadata = await TestMetadata.start();
    namespace = await metadata.namespace('shared');
    ana = await metadata.asDevice('ana');
    ben = await metadata.asDevice('ben');
  });
  afterEach(() => metadata.stop());

  const administrator = () => metadata.calls.access;
  const membersAs = async ({ calls }: TestCaller) => {
    const { members } = await calls.access.listMembers({ namespaceName: 'shared', ...first });
    return members.map(({ account, role }) => `${account} ${MemberRole[role]}`);
  };
  const shareAs = ({ calls }: TestCaller, account: string, role = MemberRole.READER) =>
    calls.access.shareNamespace({ namespaceName: 'shared', account, role });
  const unshareAs = ({ calls }: TestCaller, account: string) =>
    calls.access.unshareNamespace({ namespaceName: 'shared', account });

  it('says of an account that there is not that it is unknown, whatever is asked of it', async () => {
    const { access } = metadata.calls;
    const entries = { afterSequence: 0n, namespaceName: '', account: 'nobody', pageSize: 0 };
    for (const asked of [
      access.listDevices({ account: 'nobody', ...first }),
      access.listAuditEntries(entries),
      unshareAs(metadata.administrator, 'nobody'),
    ]) {
      await expect(asked).rejects.toMatchObject({ code: 'NOT_FOUND', reason: 'ACCOUNT_UNKNOWN' });
    }
  });

  describe('accounts', () => {
    it('makes accounts, with a role or without, and lists them by name, in pages', async () => {
      const { account } = await administrator().createAccount({ name: 'zoe', role: AccountRole.ADMINISTRATOR });
      expect(account).toMatchObject({ name: 'zoe', role: AccountRole.ADMINISTRATOR });
      expect(Number(account!.createdAtMs)).toBeGreaterThan(0);
      const seen: string[][] = [];
      let pageToken = '';
      do {
        const page = await administrator().listAccounts({ pageSize: 3, pageToken });
        seen.push(page.accounts.map(({ name, role }) => `${name} ${AccountRole[role]}`));
        pageToken = page.nextPageToken;
      } while (pageToken !== '');
      expect(seen).toEqual([['admin ADMINISTRATOR', 'ana MEMBER', 'ben MEMBER'], ['zoe ADMINISTRATOR']]);
      const again = administrator().createAccount({ name: 'zoe', role: AccountRole.UNSPECIFIED });
      await expect(again).rejects.toMatchObject({ code: 'ALREADY_EXISTS', reason: 'ACCOUNT_EXISTS' });
    });

    it('gives an account another role, but never takes the last administrator', async () => {
      const last = administrator().setAccountRole({ name: 'admin', role: AccountRole.MEMBER });
      await expect(last).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'LAST_ADMINISTRATOR' });
      await administrator().setAccountRole({ name: 'ana', role: AccountRole.ADMINISTRATOR });
      const { account } = await ana.calls.access.setAccountRole({ name: 'admin', role: AccountRole.MEMBER });
      expect(account).toMatchObject({ name: 'admin', role: AccountRole.MEMBER });
      await expect(administrator().listAccounts(first)).rejects.toMatchObject(INSUFFICIENT);
      const unknown = ana.calls.access.setAccountRole({ name: 'nobody', role: AccountRole.MEMBER });
      await expect(unknown).rejects.toMatchObject({ code: 'NOT_FOUND', reason: 'ACCOUNT_UNKNOWN' });
    });

    it('refuses what no account can be', async () => {
      const { createAccount, setAccountRole, listAccounts } = administrator();
      await expect(createAccount({ name: 'No Name', role: AccountRole.MEMBER })).rejects.toMatchObject(invalid('name'));
      await expect(createAccount({ name: 'zoe', role: AccountRole.UNRECOGNIZED })).rejects.toMatchObject(
        invalid('role'),
      );
      await expect(setAccountRole({ name: 'ana', role: AccountRole.UNSPECIFIED })).rejects.toMatchObject(
        invalid('role'),
      );
      const pageSize = wireLimits.rowsPerPage + 1;
      await expect(listAccounts({ pageSize, pageToken: '' })).rejects.toMatchObject(invalid('page_size'));
      await expect(listAccounts({ pageSize: 0, pageToken: '?' })).rejects.toMatchObject(invalid('page_token'));
    });

    it('is for administrators', async () => {
      const { createAccount, setAccountRole, listAccounts } = ana.calls.access;
      await expect(createAccount({ name: 'zoe', role: AccountRole.MEMBER })).rejects.toMatchObject(INSUFFICIENT);
      const role = AccountRole.ADMINISTRATOR;
      await expect(setAccountRole({ name: 'ana', role })).rejects.toMatchObject(INSUFFICIENT);
      await expect(listAccounts(first)).rejects.toMatchObject(INSUFFICIENT);
    });
  });

  describe('one-time tokens', () => {
    it('issues them for agents and devices, for an hour or for as long as asked', async () => {
      const nowMs = Date.now();
      const agent = await administrator().issueAgentToken({ premises: 'porto', validSeconds: 0 });
      expect(parseEnrollmentToken('token', agent.token).subject).toEqual({ kind: 'agent', premises: 'porto' });
      expect((Number(agent.expiresAtMs) - nowMs) / 1000).toBeCloseTo(trustLimits.enrollmentTokenMs / 1000, -2);
      const device = await administrator().issueDeviceToken({ account: 'ana', validSeconds: 604_800 });
      expect(parseEnrollmentToken('token', device.token).subject).toEqual({ kind: 'device', account: 'ana' });
      expect((Number(device.expiresAtMs) - nowMs) / 1000).toBeCloseTo(604_800, -2);
    });

    it('issues no token for longer than a week, for no premises, or for no account', async () => {
      const { issueAgentToken, issueDeviceToken } = administrator();
      const long = issueAgentToken({ premises: 'porto', validSeconds: 604_801 });
      await expect(long).rejects.toMatchObject(invalid('valid_seconds'));
      await expect(issueAgentToken({ premises: '', validSeconds: 0 })).rejects.toMatchObject(invalid('premises'));
      await expect(issueDeviceToken({ account: '', validSeconds: 0 })).rejects.toMatchObject(invalid('account'));
      const unknown = issueDeviceToken({ account: 'nobody', validSeconds: 0 });
      await expect(unknown).rejects.toMatchObject({ code: 'NOT_FOUND', reason: 'ACCOUNT_UNKNOWN' });
    });

    it('lets an account have tokens for its own devices, and nobody else', async () => {
      await ana.calls.access.issueDeviceToken({ account: 'ana', validSeconds: 0 });
      for (const account of ['ben', 'nobody']) {
        const refused = ana.calls.access.issueDeviceToken({ account, validSeconds: 0 });
        await expect(refused).rejects.toMatchObject(INSUFFICIENT);
      }
      const agent = ana.calls.access.issueAgentToken({ premises: 'porto', validSeconds: 0 });
      await expect(agent).rejects.toMatchObject(INSUFFICIENT);
    });
  });

  describe('devices', () => {
    it('shows them to administrators, and to their own account', async () => {
      const owners = async (caller: TestCaller, account: string) =>
        (await caller.calls.access.listDevices({ account, ...first })).devices.map((device) => device.account).sort();
      expect(await owners(metadata.administrator, '')).toEqual(['admin', 'ana', 'ben']);
      expect(await owners(metadata.administrator, 'ana')).toEqual(['ana']);
      expect(await owners(ana, 'ana')).toEqual(['ana']);
      for (const account of ['', 'ben', 'nobody']) {
        await expect(owners(ana, account)).rejects.toMatchObject(INSUFFICIENT);
      }
    });

    it('lists them in pages, by id', async () => {
      const ids: string[] = [];
      let pageToken = '';
      do {
        const page = await administrator().listDevices({ account: '', pageSize: 2, pageToken });
        ids.push(...page.devices.map(({ deviceId }) => deviceId));
        pageToken = page.nextPageToken;
      } while (pageToken !== '');
      expect(ids).toEqual([metadata.administrator, ana, ben].map(({ identity }) => identity.deviceId).sort());
    });

    it('lets an account revoke its own, administrators all, and others learn nothing', async () => {
      const second = await metadata.asDevice('ana');
      const revokeAs = (caller: TestCaller, deviceId: string) => caller.calls.access.revokeDevice({ deviceId });
      const { device } = await revokeAs(ana, second.identity.deviceId);
      expect(device).toMatchObject({ deviceId: second.identity.deviceId, account: 'ana' });
      expect(device!.revokedAtMs).toBeGreaterThan(0n);
      // Idempotent: the time is that of the first.
      expect((await revokeAs(ana, second.identity.deviceId)).device).toEqual(device);
      const [foreign, unknown] = [ben.identity.deviceId, deviceNamed('nobody')].map((id) =>
        rejection(revokeAs(ana, id)),
      );
      expect(await foreign).toMatchObject(INSUFFICIENT);
      expect((await unknown) as Error).toEqual(await foreign);
      await revokeAs(metadata.administrator, ana.identity.deviceId);
      const gone = revokeAs(metadata.administrator, deviceNamed('nobody'));
      await expect(gone).rejects.toMatchObject({ code: 'NOT_FOUND', reason: 'DEVICE_UNKNOWN' });
      await expect(revokeAs(metadata.administrator, 'x')).rejects.toMatchObject(invalid('device_id'));
    });
  });

  describe('agents', () => {
    it('are revoked by administrators', async () => {
      const { id: agentId } = sampleAgent('lisbon');
      await metadata.register(sampleAgent('lisbon'));
      await expect(ana.calls.access.revokeAgent({ agentId })).rejects.toMatchObject(INSUFFICIENT);
      await administrator().revokeAgent({ agentId });
      const unknown = administrator().revokeAgent({ agentId: sampleAgent('nobody').id });
      await expect(unknown).rejects.toMatchObject({ code: 'NOT_FOUND', reason: 'AGENT_UNKNOWN' });
      await expect(administrator().revokeAgent({ agentId: 'x' })).rejects.toMatchObject(invalid('agent_id'));
    });
  });

  describe('members', () => {
    it('begin with whoever made the namespace, as its owner', async () => {
      expect(await membersAs(metadata.administrator)).toEqual(['admin OWNER']);
    });

    it('are made and unmade by administrators and owners, also of other roles', async () => {
      await shareAs(metadata.administrator, 'ana', MemberRole.OWNER);
      await shareAs(ana, 'ben', MemberRole.EDITOR);
      await shareAs(ana, 'ben', MemberRole.EDITOR);
      expect(await membersAs(ben)).toEqual(['admin OWNER', 'ana OWNER', 'ben EDITOR']);
      await shareAs(ana, 'ben', MemberRole.READER);
      await unshareAs(ana, 'admin');
      expect(await membersAs(ana)).toEqual(['ana OWNER', 'ben READER']);
      // An administrator need not be a member to see to the members.
      await unshareAs(metadata.administrator, 'ben');
      await unshareAs(metadata.administrator, 'ben');
      expect(await membersAs(metadata.administrator)).toEqual(['ana OWNER']);
    });

    it.each([MemberRole.READER, MemberRole.EDITOR])(
      'are not for role %j to say, but everybody may leave',
      async (role) => {
        await shareAs(metadata.administrator, 'ana', role);
        await expect(shareAs(ana, 'ben')).rejects.toMatchObject(INSUFFICIENT);
        await expect(shareAs(ana, 'ana', MemberRole.OWNER)).rejects.toMatchObject(INSUFFICIENT);
        await expect(unshareAs(ana, 'admin')).rejects.toMatchObject(INSUFFICIENT);
        await unshareAs(ana, 'ana');
        await expect(membersAs(ana)).rejects.toMatchObject(UNKNOWN);
      },
    );

    it('never lose their last owner', async () => {
      const refusal = { code: 'FAILED_PRECONDITION', reason: 'LAST_OWNER' };
      await shareAs(metadata.administrator, 'ana', MemberRole.EDITOR);
      await expect(unshareAs(metadata.administrator, 'admin')).rejects.toMatchObject(refusal);
      await expect(shareAs(metadata.administrator, 'admin')).rejects.toMatchObject(refusal);
      await shareAs(metadata.administrator, 'ana', MemberRole.OWNER);
      await unshareAs(metadata.administrator, 'admin');
    });

    it('are nobody’s business in a namespace of others, which is as if it were not there', async () => {
      await expect(shareAs(ana, 'ana', MemberRole.OWNER)).rejects.toMatchObject(UNKNOWN);
      await expect(unshareAs(ana, 'admin')).rejects.toMatchObject(UNKNOWN);
      await expect(membersAs(ana)).rejects.toMatchObject(UNKNOWN);
      const nowhere = administrator().listMembers({ namespaceName: 'nowhere', ...first });
      await expect(nowhere).rejects.toMatchObject(UNKNOWN);
    });

    it('are accounts with a role', async () => {
      await expect(shareAs(metadata.administrator, 'nobody')).rejects.toMatchObject({ reason: 'ACCOUNT_UNKNOWN' });
      const { shareNamespace } = administrator();
      const request = { namespaceName: 'shared', account: 'ana', role: MemberRole.READER };
      await expect(shareNamespace({ ...request, role: MemberRole.UNSPECIFIED })).rejects.toMatchObject(invalid('role'));
      await expect(shareNamespace({ ...request, account: '' })).rejects.toMatchObject(invalid('account'));
      await expect(shareNamespace({ ...request, namespaceName: '' })).rejects.toMatchObject(invalid('namespace_name'));
    });

    it('are listed in pages', async () => {
      for (const account of ['ana', 'ben']) await shareAs(metadata.administrator, account);
      const page = await administrator().listMembers({ namespaceName: 'shared', pageSize: 2, pageToken: '' });
      expect(page.members.map(({ account }) => account)).toEqual(['admin', 'ana']);
      const { nextPageToken: pageToken } = page;
      const rest = await administrator().listMembers({ namespaceName: 'shared', pageSize: 2, pageToken });
      expect([rest.members.map(({ account }) => account), rest.nextPageToken]).toEqual([['ben'], '']);
      expect(namespace.name).toBe('shared');
    });
  });
});
