import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseEnrollmentToken } from '../../../../common/identity/enrollment-token.js';
import type { DeviceId } from '../../../../common/ids.js';
import { trustLimits } from '../../../../common/limits.js';
import { systemRandom } from '../../../../common/random.js';
import { createTokenMetrics } from '../../../../metadata/metrics.js';
import type { MetadataStore } from '../../../../metadata/store/contract.js';
import { createMemoryStore } from '../../../../metadata/store/memory-store.js';
import type { AccountRole } from '../../../../metadata/store/rows.js';
import { EnrollmentTokens } from '../../../../metadata/trust/enrollment-tokens.js';
import { provideFirstAdministrator } from '../../../../metadata/trust/first-administrator.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { accountNamed, auditEntry, deviceNamed } from '../../../support/metadata/samples.js';
import { temporaryDirectory } from '../../../support/temporary-directory.js';

const HOUR_MS = 60 * 60 * 1000;

describe('provideFirstAdministrator', () => {
  let dataDir: string;
  let store: MetadataStore;
  let clock: ManualClock;
  let pinned: Buffer;

  beforeEach(() => {
    dataDir = temporaryDirectory();
    store = createMemoryStore();
    clock = new ManualClock(1_800_000_000_000);
    pinned = Buffer.alloc(32, 1);
  });

  function start(recover = false): Promise<string | undefined> {
    const { accounts, enrollment } = store;
    const metrics = createTokenMetrics(new Registry());
    const tokens = new EnrollmentTokens({ enrollment, pinned, clock, random: systemRandom, metrics });
    return provideFirstAdministrator({ dataDir, accounts, tokens, clock }, recover);
  }
  const file = () => join(dataDir, 'admin.token');
  const token = () => parseEnrollmentToken('token', readFileSync(file(), 'utf8'));
  const accountOf = () => (token().subject as { account?: string }).account;
  const makeAccount = (name: string, role: AccountRole) =>
    store.accounts.createAccount(
      { name: accountNamed(name), role, createdAtMs: clock.nowMs() },
      auditEntry('account.create', name),
    );
  /** Redeems the token in the file. */
  async function logIn(name = 'desk'): Promise<DeviceId> {
    const id = deviceNamed(name);
    const account = accountNamed(accountOf()!);
    const holder = { kind: 'device', device: { id, account, displayName: name } } as const;
    const audit = auditEntry('device.enroll', id);
    await store.enrollment.redeemToken(token().id.toString('hex'), clock.nowMs(), holder, audit);
    return id;
  }

  it('makes the account admin and a token for it on the first start, for its owner alone', async () => {
    expect(await start()).toBe(file());
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(token().subject).toEqual({ kind: 'device', account: 'admin' });
    expect(token().caFingerprint).toEqual(pinned);
    expect(await store.accounts.getAccount(accountNamed('admin'))).toMatchObject({ role: 'administrator' });
    await logIn();
  });

  it('keeps the token from one start to the next as long as it serves, so that a loop of restarts issues one', async () => {
    await start();
    const first = readFileSync(file(), 'utf8');
    for (let restart = 0; restart < 5; restart++) expect(await start()).toBe(file());
    expect(readFileSync(file(), 'utf8')).toBe(first);
    clock.advance(trustLimits.enrollmentTokenMaxMs - HOUR_MS);
    await start();
    expect(readFileSync(file(), 'utf8')).toBe(first);
    clock.advance(1);
    await start();
    expect(readFileSync(file(), 'utf8')).not.toBe(first);
    await logIn();
  });

  it.each<[what: string, spoil: () => unknown]>([
    ['belongs to another CA', () => pinned.fill(2)],
    ['was altered', () => writeFileSync(file(), readFileSync(file(), 'utf8').replace(/.{60}$/m, 'A'.repeat(60)))],
    ['is none', () => writeFileSync(file(), 'hello\n')],
    ['was lost with the rest', () => (store = createMemoryStore())],
  ])('issues another where the one in the file %s', async (_what, spoil) => {
    await start();
    const first = readFileSync(file(), 'utf8');
    spoil();
    await start();
    expect(readFileSync(file(), 'utf8')).not.toBe(first);
    expect(token().caFingerprint).toEqual(pinned);
    await logIn();
  });

  it('needs no token once an administrator has a device, and takes the file away', async () => {
    await start();
    await logIn();
    expect(await start()).toBeUndefined();
    expect(existsSync(file())).toBe(false);
  });

  it('gives one again when the last device of the administrators is revoked', async () => {
    await start();
    const id = await logIn();
    await store.accounts.revokeDevice(id, clock.nowMs(), auditEntry('device.revoke', id));
    expect(await start()).toBe(file());
    await logIn('another');
    expect(await start()).toBeUndefined();
  });

  it('gives one to whoever asks to recover, though an administrator has a device', async () => {
    await start();
    await logIn();
    expect(await start(true)).toBe(file());
    await logIn('another');
  });

  it('takes an administrator that there is before it makes one', async () => {
    await makeAccount('zoe', 'administrator');
    await makeAccount('admin', 'member');
    await start();
    expect(accountOf()).toBe('zoe');
    expect(await store.accounts.getAccount(accountNamed('admin'))).toMatchObject({ role: 'member' });
  });

  it('does not count the devices of others', async () => {
    await makeAccount('ana', 'member');
    const account = accountNamed('ana');
    const id = 'a'.repeat(32);
    const expiresAtMs = clock.nowMs() + HOUR_MS;
    await store.enrollment.createToken(
      { id, secretHash: Buffer.alloc(32), subject: { kind: 'device', account }, expiresAtMs, redeemedBy: undefined },
      auditEntry('token.issue', id, { atMs: clock.nowMs() }),
    );
    const device = { id: deviceNamed('ana'), account, displayName: '' };
    await store.enrollment.redeemToken(id, clock.nowMs(), { kind: 'device', device }, auditEntry('device.enroll', id));
    expect(await start()).toBe(file());
  });

  it('makes admin an administrator where it is the only one that can be', async () => {
    await makeAccount('admin', 'member');
    await start();
    expect(accountOf()).toBe('admin');
    expect(await store.accounts.getAccount(accountNamed('admin'))).toMatchObject({ role: 'administrator' });
  });
});
