import { describe, expect, it } from 'vitest';
import type { MetadataStore } from '../../../metadata/store/contract.js';
import { ana, ben, createAccount, enrollDevice } from '../../support/metadata/furnished-store.js';
import { accountNamed, auditEntry, deviceNamed, SAMPLE_TIME_MS } from '../../support/metadata/samples.js';
import { expectRefusal, tracesOf } from './audit-log.js';

/** What a store promises of accounts and their devices. */
export function describeAccounts(open: () => Promise<MetadataStore>): void {
  describe('accounts', () => {
    describeRoles(open);
    describeDevices(open);
  });
}

function describeRoles(open: () => Promise<MetadataStore>): void {
  const carla = accountNamed('carla');

  it('keeps an account as it was made', async () => {
    const store = await open();
    expect(await store.accounts.getAccount(carla)).toBeUndefined();
    expect(await tracesOf(store, () => createAccount(store, carla))).toEqual(['account.create carla', 'directory']);
    const row = { name: carla, role: 'member', createdAtMs: SAMPLE_TIME_MS };
    expect(await store.accounts.getAccount(carla)).toEqual(row);
  });

  it('gives a name once, also to two who ask at the same time', async () => {
    const store = await open();
    await expectRefusal(store, () => createAccount(store, ben, 'administrator'), {
      code: 'ALREADY_EXISTS',
      reason: 'ACCOUNT_EXISTS',
    });
    expect(await store.accounts.getAccount(ben)).toMatchObject({ role: 'member' });
    const asks = [createAccount(store, carla), createAccount(store, carla, 'administrator')];
    expect(await Promise.allSettled(asks)).toMatchObject([
      { status: 'fulfilled' },
      { reason: { reason: 'ACCOUNT_EXISTS' } },
    ]);
    expect(await store.accounts.getAccount(carla)).toMatchObject({ role: 'member' });
  });

  it('lists accounts in pages, by name', async () => {
    const store = await open();
    const { accounts } = store;
    for (const name of ['ana-2', 'zoe', 'an']) await createAccount(store, accountNamed(name));
    const first = await accounts.listAccounts(undefined, 2);
    expect(first).toMatchObject({ rows: [{ name: 'an' }, { name: 'ana', role: 'administrator' }], hasMore: true });
    const rest = await accounts.listAccounts(ana, 10);
    expect(rest).toMatchObject({ rows: [{ name: 'ana-2' }, { name: 'ben' }, { name: 'zoe' }], hasMore: false });
    expect(await accounts.listAccounts(accountNamed('zoe'), 10)).toEqual({ rows: [], hasMore: false });
  });

  it('gives an account another role, and says so once', async () => {
    const store = await open();
    const entry = auditEntry('account.role', ben);
    const promote = () => store.accounts.setAccountRole(ben, 'administrator', entry);
    expect(await tracesOf(store, promote)).toEqual(['account.role ben', 'directory']);
    expect(await tracesOf(store, promote)).toEqual([]);
    expect(await promote()).toEqual({ name: ben, role: 'administrator', createdAtMs: SAMPLE_TIME_MS });
    expect(await store.accounts.getAccount(ben)).toMatchObject({ role: 'administrator' });
    await expectRefusal(store, () => store.accounts.setAccountRole(carla, 'member', entry), {
      code: 'NOT_FOUND',
      reason: 'ACCOUNT_UNKNOWN',
    });
  });

  it('keeps an administrator, also when two step down at the same time', async () => {
    const store = await open();
    const entry = auditEntry('account.role', 'somebody');
    const stepDown = (name: typeof ana) => store.accounts.setAccountRole(name, 'member', entry);
    const refusal = { code: 'FAILED_PRECONDITION', reason: 'LAST_ADMINISTRATOR' } as const;
    await expectRefusal(store, () => stepDown(ana), refusal);
    await store.accounts.setAccountRole(ana, 'administrator', entry);
    await store.accounts.setAccountRole(ben, 'administrator', entry);
    const outcomes = await Promise.allSettled([stepDown(ana), stepDown(ben)]);
    expect(outcomes).toMatchObject([{ value: { name: ana, role: 'member' } }, { reason: refusal }]);
    expect(await store.accounts.getAccount(ben)).toMatchObject({ role: 'administrator' });
  });
}

function describeDevices(open: () => Promise<MetadataStore>): void {
  it('lists devices in pages, by id, of all accounts or of one', async () => {
    const store = await open();
    const list = store.accounts.listDevices.bind(store.accounts);
    // The name of the second begins with that of the first.
    const longer = accountNamed('ana-2');
    await createAccount(store, longer);
    const of = async (account: typeof ana, ...names: string[]) =>
      Promise.all(names.map((name) => enrollDevice(store, account, name)));
    const anas = await of(ana, 'a', 'b', 'c', 'd', 'e');
    const longers = await of(longer, 'f', 'g');
    const sorted = (rows: typeof anas) => [...rows].sort((a, b) => (a.id < b.id ? -1 : 1));
    const [mine, all] = [sorted(anas), sorted([...anas, ...longers])];
    expect(await list(undefined, undefined, 7)).toEqual({ rows: all, hasMore: false });
    expect(await list(undefined, all[2]!.id, 2)).toEqual({ rows: all.slice(3, 5), hasMore: true });
    expect(await list(ana, undefined, 3)).toEqual({ rows: mine.slice(0, 3), hasMore: true });
    expect(await list(ana, mine[2]!.id, 2)).toEqual({ rows: mine.slice(3), hasMore: false });
    expect(await list(longer, undefined, 10)).toEqual({ rows: sorted(longers), hasMore: false });
    expect(await list(ben, undefined, 10)).toEqual({ rows: [], hasMore: false });
  });

  it('revokes a device once, and keeps it', async () => {
    const store = await open();
    const [laptop, phone] = [await enrollDevice(store, ben, 'laptop'), await enrollDevice(store, ben, 'phone')];
    const revoke = (atMs: number) =>
      store.accounts.revokeDevice(laptop.id, atMs, auditEntry('device.revoke', 'laptop'));
    expect(await tracesOf(store, () => revoke(5))).toEqual(['device.revoke laptop', 'directory']);
    expect(await tracesOf(store, () => revoke(6))).toEqual([]);
    const revoked = { ...laptop, revokedAtMs: 5 };
    expect(await revoke(7)).toEqual(revoked);
    expect(await store.accounts.getDevice(laptop.id)).toEqual(revoked);
    expect(await store.accounts.getDevice(phone.id)).toEqual(phone);
    expect((await store.accounts.listDevices(ben, undefined, 10)).rows).toHaveLength(2);
  });

  it('knows no device that has not logged in', async () => {
    const store = await open();
    const stranger = deviceNamed('stranger');
    expect(await store.accounts.getDevice(stranger)).toBeUndefined();
    await expectRefusal(
      store,
      () => store.accounts.revokeDevice(stranger, 5, auditEntry('device.revoke', 'stranger')),
      {
        code: 'NOT_FOUND',
        reason: 'DEVICE_UNKNOWN',
      },
    );
  });
}
