import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { announceAdministrator } from '../../../../cli/commands/metadata-serve.js';
import { runCommand, type Ran, type Surroundings } from '../../../support/client/command-line.js';
import { InProcessFleet } from '../../../support/client/in-process-fleet.js';

/** A fleet, and what its users type. */
class Users {
  private constructor(
    readonly fleet: InProcessFleet,
    private readonly metadata: string,
  ) {}

  static async start(premises?: readonly string[]): Promise<Users> {
    const fleet = await InProcessFleet.start(premises);
    return new Users(fleet, fleet.metadata.address);
  }

  homeOf(user: string): string {
    return user === 'admin' ? this.fleet.adminHome : join(this.fleet.dir, `home of the user ${user}`);
  }

  /** Runs a command as somebody; where they have not logged in it must say where metadata is. */
  run(user: string, args: readonly string[], around?: Surroundings): Promise<Ran> {
    return runCommand(this.fleet.dir, [...args, '--home', this.homeOf(user)], around);
  }

  async document(user: string, ...args: readonly string[]): Promise<Record<string, unknown>> {
    const { code, output, errors } = await this.run(user, [...args, '--json']);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    return JSON.parse(output) as Record<string, unknown>;
  }

  /** What the administrator hands out so that somebody can log in. */
  async deviceToken(account: string): Promise<string> {
    return String((await this.document('admin', 'device', 'token', '--account', account)).token);
  }

  /** Makes an account, and logs a device of it in. */
  async admit(account: string): Promise<string> {
    await this.document('admin', 'account', 'create', account);
    const args = ['login', await this.deviceToken(account), '--metadata', this.metadata];
    return String((await this.document(account, ...args)).deviceId);
  }

  /** Logs in with `args`, and says who that has made of them. */
  async logIn(user: string, args: readonly string[], around?: Surroundings): Promise<unknown> {
    const { code, output, errors } = await this.run(
      user,
      ['login', ...args, '--metadata', this.metadata, '--json'],
      around,
    );
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    return (JSON.parse(output) as { account: unknown }).account;
  }
}

test('a token comes as an argument, from a file, from standard input or from the environment', async () => {
  const users = await Users.start();
  await users.document('admin', 'account', 'create', 'ana');
  const file = join(users.fleet.dir, 'ana.token');
  const token = (): Promise<string> => users.deviceToken('ana');
  expect(await users.logIn('by argument', [await token()])).toBe('ana');
  writeFileSync(file, `${await token()}\n`);
  expect(await users.logIn('by file', ['--token-file', file])).toBe('ana');
  expect(await users.logIn('by input', ['--token-file', '-'], { input: `${await token()}\n` })).toBe('ana');
  const environment = { DRYSTONE_TOKEN: await token() };
  expect(await users.logIn('by environment', [], { environment })).toBe('ana');
  for (const name of ['device.key', 'device.crt', 'fleet.json']) {
    expect(statSync(join(users.homeOf('by file'), name)).mode & 0o777).toBe(0o600);
  }
  const { devices } = await users.document('admin', 'device', 'list', '--account', 'ana');
  expect(devices).toHaveLength(4);
});

test('a token is used once, is for a device, and its secret is in no error', async () => {
  const users = await Users.start();
  await users.document('admin', 'account', 'create', 'ana');
  const token = await users.deviceToken('ana');
  await users.logIn('first', [token]);
  const { token: agentToken } = await users.document('admin', 'agent', 'token', '--premises', 'here');
  const secretOf = (text: string): string => text.split(':')[2]!;
  const metadata = ['--metadata', users.fleet.metadata.address];
  const attempts: readonly (readonly [args: readonly string[], code: number, said: RegExp])[] = [
    [['login', token, ...metadata], 3, /.+/],
    [['login', String(agentToken), ...metadata], 2, /is for an agent/],
    [['login', `${token}x`, ...metadata], 2, /TOKEN: must be a one-time token/],
    [['login', token, 'again'], 2, /too many arguments/],
    [['login', `--token=${token}`], 2, /unknown option '--token=device:ana:…'/],
    [['login', '--token-file', '-'], 2, /--token-file \(standard input\): must hold a one-time token, and is empty/],
    [['agent', 'serve', '--data', 'x', '--join-file', '-'], 2, /--join-file \(standard input\): .*is empty/],
    [['login', '--token-file', token], 2, /--token-file: must be a file that can be read/],
    [[token], 2, /unknown command/],
    [['device', 'revoke', token], 2, /ID: must be 32 hexadecimal digits/],
    [['agent', 'serve', '--data', users.fleet.folder('agent'), '--join', `${token}x`], 2, /--join: must be a one-time/],
    [['agent', 'serve', '--data', users.fleet.folder('agent'), '--join', token], 2, /is the token of a device/],
  ];
  for (const [args, code, said] of attempts) {
    for (const flags of [[], ['--json']]) {
      const ran = await runCommand(users.fleet.dir, [...args, ...flags]);
      expect({ args, code: ran.code }).toEqual({ args, code });
      expect(ran.errors).toMatch(said);
      for (const secret of [secretOf(token), secretOf(String(agentToken))]) {
        expect(ran.output + ran.errors).not.toContain(secret.slice(0, 40));
      }
    }
  }
});

test('later commands find the fleet where the device logged in, unless somebody says otherwise', async () => {
  const users = await Users.start();
  await users.admit('ana');
  expect(await users.document('ana', 'status')).toMatchObject({ metadata: { reachable: true } });
  expect((await users.run('ana', ['status', '--metadata', '127.0.0.1:9'])).code).toBe(4);
  const environment = { DRYSTONE_CLIENT_METADATA: '127.0.0.1:9' };
  expect((await users.run('ana', ['status'], { environment })).code).toBe(4);
  writeFileSync(join(users.homeOf('ana'), 'fleet.json'), '{"metadata":');
  const damaged = await users.run('ana', ['status']);
  expect(damaged.code).toBe(2);
  expect(damaged.errors).toMatch(/fleet\.json: is not as 'drystone login' writes it/);
});

test('an administrator lets accounts in, gives roles, and sees who did what', async () => {
  const users = await Users.start();
  await users.admit('ana');
  expect(await users.document('admin', 'account', 'list')).toMatchObject({
    accounts: [
      { name: 'admin', role: 'administrator' },
      { name: 'ana', role: 'member' },
      { name: 'people', role: 'member' },
    ],
  });
  const refused = await users.run('ana', ['account', 'create', 'eve']);
  expect(refused.code).toBe(3);
  expect((await users.run('ana', ['device', 'token', '--account', 'people'])).code).toBe(3);
  expect(String((await users.document('ana', 'device', 'token')).token)).toMatch(/^device:ana:/);

  expect(await users.document('admin', 'account', 'role', 'ana', 'administrator')).toMatchObject({
    role: 'administrator',
  });
  expect((await users.run('ana', ['account', 'create', 'eve'])).code).toBe(0);
  const { entries } = (await users.document('admin', 'audit', '--account', 'ana')) as { entries: AuditRow[] };
  expect(entries.map(({ action }) => action)).toEqual(
    expect.arrayContaining(['account.create', 'token.issue', 'device.enroll', 'account.role']),
  );
  const [first, second] = entries;
  const rest = await users.document(
    'admin',
    'audit',
    '--account',
    'ana',
    '--after',
    String(first!.sequence),
    '--limit',
    '1',
  );
  expect(rest).toMatchObject({ entries: [{ sequence: second!.sequence }], caughtUp: false });
  const text = await users.run('admin', ['audit', '--account', 'ana']);
  expect(text.output).toMatch(/^NO\. +WHEN \(UTC\) +WHO +WHAT +TO +IN +FACTS\n/);
});

interface AuditRow {
  readonly sequence: number;
  readonly action: string;
}

test('a namespace is there for its members, as far as their role goes', async () => {
  const users = await Users.start();
  for (const account of ['ana', 'ben']) await users.admit(account);
  expect((await users.run('ana', ['ls', 'docs'])).code).toBe(3);
  expect(await users.document('ana', 'namespace', 'list')).toEqual({ namespaces: [] });
  expect(await users.document('ana', 'status')).toMatchObject({ namespaces: [], metadata: { reachable: true } });
  expect(await users.document('ana', 'status')).not.toHaveProperty('agents');

  await users.document('admin', 'namespace', 'share', 'docs', 'ana', '--role', 'owner');
  await users.document('ana', 'namespace', 'share', 'docs', 'ben', '--role', 'reader');
  expect(await users.document('ben', 'namespace', 'show', 'docs')).toMatchObject({
    name: 'docs',
    members: [
      { account: 'admin', role: 'owner' },
      { account: 'ana', role: 'owner' },
      { account: 'ben', role: 'reader' },
      { account: 'people', role: 'editor' },
    ],
  });
  expect((await users.run('ben', ['namespace', 'share', 'docs', 'ben', '--role', 'owner'])).code).toBe(3);
  expect((await users.run('ben', ['ls', 'docs'])).code).toBe(0);
  await users.document('ana', 'namespace', 'unshare', 'docs', 'ben');
  const gone = await users.run('ben', ['ls', 'docs']);
  expect(gone.code).toBe(3);
  expect(gone.errors).toMatch(/there is no namespace docs, or your account is not, or no longer, a member/);
});

test('a device that is revoked is nobody any more; its account logs in again with another key', async () => {
  const users = await Users.start();
  const deviceId = await users.admit('ana');
  expect(await users.document('ana', 'device', 'revoke', deviceId)).toMatchObject({ deviceId, account: 'ana' });
  for (const args of [['ls', 'docs'], ['status']]) {
    const { code, errors } = await users.run('ana', [...args, '--json']);
    expect({ args, code }).toEqual({ args, code: 3 });
    expect(JSON.parse(errors)).toMatchObject({ error: { code: 'UNAUTHENTICATED', reason: 'IDENTITY_REVOKED' } });
  }
  const again = await users.run('ana', ['login', await users.deviceToken('ana')]);
  expect(again.code).toBe(3);
  expect(again.errors).toContain(`remove ${users.homeOf('ana')}/device.key to become a new device`);
  expect(await users.logIn('ana elsewhere', [await users.deviceToken('ana')])).toBe('ana');
});

test('an agent joins by its token, and leaves when it is revoked', async () => {
  const users = await Users.start(['near', 'far']);
  const { agents } = (await users.document('admin', 'agent', 'list')) as { agents: { agentId: string }[] };
  const [first, second] = agents.map(({ agentId }) => agentId);
  const assign = (list: string): Promise<Ran> => users.run('admin', ['namespace', 'assign', 'docs', '--agents', list]);
  expect((await assign(`${first},${second}`)).code).toBe(0);
  expect(await users.document('admin', 'agent', 'revoke', first!)).toEqual({ agentId: first });
  expect(await users.document('admin', 'namespace', 'show', 'docs')).toMatchObject({ agents: [{ agentId: second }] });
  expect((await assign(String(first))).code).toBe(3);
});

test('a sync needs a login before it touches the folder', async () => {
  const users = await Users.start();
  const folder = users.fleet.folder('untouched');
  const refused = await users.run('nobody', ['sync', folder, '--namespace', 'docs', '--once', '--json']);
  expect(refused.code).toBe(3);
  expect(JSON.parse(refused.errors)).toMatchObject({ error: { reason: 'IDENTITY_MISSING' } });
  expect(existsSync(folder)).toBe(false);
});

test('metadata says where the token of an administrator lies, and that nobody has logged in only where nobody has', () => {
  const said = (recover: boolean) => announceAdministrator({ adminTokenFile: '/data/admin.token' }, recover)?.text;
  expect(said(false)).toBe(
    'no administrator has logged in yet; on this machine: drystone login --token-file /data/admin.token',
  );
  expect(said(true)).toMatch(
    /^a one-time token for an administrator .*: drystone login --token-file \/data\/admin\.token$/,
  );
  expect(announceAdministrator({ adminTokenFile: undefined }, false)).toBeUndefined();
});

test('an account that there is not is said to be unknown by every command that is given its name', async () => {
  const users = await Users.start();
  await users.fleet.createNamespace('letters', 1);
  for (const args of [
    ['device', 'list', '--account', 'nobody'],
    ['audit', '--account', 'nobody'],
    ['namespace', 'unshare', 'letters', 'nobody'],
  ]) {
    const told = { code: 3, output: '', errors: expect.stringContaining('there is no account nobody') as string };
    expect(await users.run('admin', args)).toMatchObject(told);
  }
});
