import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommand, type Ran } from '../../support/client/command-line.js';
import { furnishHome } from '../../support/client/device-home.js';
import { TestAuthority } from '../../support/trust/test-authority.js';

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'drystone-cli-'));
});
afterEach(() => rmSync(home, { recursive: true }));

function run(args: readonly string[], environment: Record<string, string> = {}): Promise<Ran> {
  return runCommand(home, args, { environment });
}

/** Makes the user one who has logged in, somewhere. */
async function logIn(): Promise<void> {
  await furnishHome(join(home, '.local/share/drystone'), await (await TestAuthority.create()).device('ana'));
}

/** Nothing listens on the discard port. */
const NOWHERE = ['--metadata', '127.0.0.1:9'];

describe('wrong usage ends with 2 and one line that says what is wrong', () => {
  it.each([
    ['an unknown command', ['syncc'], /unknown command 'syncc' \(Did you mean sync\?\)/],
    ['an unknown flag', ['status', '--jsn'], /unknown option '--jsn' \(Did you mean --json\?\)/],
    ['a missing argument', ['sync'], /missing required argument 'DIR'/],
    [
      'an argument too many',
      ['status', 'here'],
      /too many arguments for 'status'\. Expected 0 arguments but got 1; try --help$/m,
    ],
    ['help for no command', ['help', 'bogus'], /^drystone: there is no command 'bogus'; try --help$/m],
    ['a flag for help after no command', ['bogus', '--help'], /^drystone: there is no command 'bogus'; try --help$/m],
    ['help for help', ['help', 'help'], /^drystone: there is no command 'help'; try --help$/m],
    ['help for no command of a group', ['help', 'agent', 'bogus'], /^drystone: there is no command 'bogus'/m],
    ['help in a group for no command', ['agent', 'help', 'bogus'], /^drystone: there is no command 'bogus'/m],
    ['a flag without its value', ['ls', 'docs', '--metadata'], /argument missing/],
    ['a required flag', ['sync', '.'], /^drystone: --namespace must be given$/m],
    ['a required setting', ['agent', 'serve', '--premises', 'x'], /--data: must be given; or set DRYSTONE_AGENT_DATA/],
    [
      'a role that there is not',
      ['account', 'role', 'ana', 'king'],
      /ROLE: must be one of member, administrator, not "king"/,
    ],
    ['a wrong id', ['device', 'revoke', 'ana'], /ID: must be 32 hexadecimal digits/],
    ['a wrong list', ['namespace', 'assign', 'x', '--agents', 'a,,b'], /--agents: must be up to 16, with commas/],
    [
      'an agent that is named twice',
      ['namespace', 'assign', 'x', '--agents', `${'a'.repeat(32)},${'b'.repeat(32)},${'a'.repeat(32)}`],
      /--agents: must name each only once, and names a{32} twice$/m,
    ],
    [
      'flags that contradict each other',
      ['sync', '.', '--namespace', 'docs', '--no-peers', '--peers-only-lan'],
      /--peers-only-lan: cannot be said with --no-peers/,
    ],
    [
      'an empty name of a settings file',
      ['status', '--config', ''],
      /--config: must name a settings file, and is empty/,
    ],
    ['a duration that is too long', ['device', 'token', '--valid', '8d'], /--valid: must be a duration of up to 7d/],
    [
      'a certificate without its key',
      ['metadata', 'serve', '--data', 'x', '--server-certificate', 'y'],
      /--server-key: must be given/,
    ],
    ['no token', ['login'], /TOKEN: must be given, or --token-file, or the variable DRYSTONE_TOKEN/],
    ['a wrong name', ['sync', '.', '--namespace', 'My Docs'], /--namespace: must be 1 to 64 characters/],
    ['a wrong argument', ['namespace', 'show', 'A/B'], /NAME: must be 1 to 64 characters/],
    ['a wrong address', ['status', '--metadata', 'here'], /--metadata: must be HOST:PORT/],
    [
      'a wrong number',
      ['namespace', 'create', 'x', '--replicas', '0'],
      /--replicas: must be a whole number from 1 to 16/,
    ],
    ['a path without its file', ['cat', 'docs'], /NAMESPACE\/PATH: must name a file, such as docs\/notes.txt/],
    [
      'a path that is too long',
      ['why', `docs/${'d/'.repeat(950)}d`],
      /NAMESPACE\/PATH: its path must have at most 1900/,
    ],
    ['a path that leads out', ['ls', 'docs/../x'], /NAMESPACE\[\/PATH\]: its path must not have the part '\.\.'$/m],
    [
      'a source that is not there',
      ['demo', '--source', '/nowhere'],
      /--source: must be a directory, and \/nowhere is none/,
    ],
  ])('%s', async (_what, args, message) => {
    const { code, output, errors } = await run(args);
    expect(errors).toMatch(message);
    expect(errors).toMatch(/^drystone: [^\n]+\n$/);
    expect({ code, output }).toEqual({ code: 2, output: '' });
  });

  it('and as JSON where that is asked for, whatever is wrong', async () => {
    for (const args of [
      ['--json', 'status', '--nope'],
      ['status', '--nope', '--json'],
      ['sync', '--json', '.'],
    ]) {
      const { code, output, errors } = await run(args);
      expect({ code, output }).toEqual({ code: 2, output: '' });
      expect(JSON.parse(errors)).toMatchObject({ error: { code: 'INVALID_ARGUMENT', reason: 'FIELD_INVALID' } });
    }
  });
});

describe('settings', () => {
  it('that a file has wrong are named with file and key', async () => {
    const file = join(home, 'settings.toml');
    writeFileSync(file, '[client]\nmetadta = "127.0.0.1:9"\n');
    const { code, errors } = await run(['status', '--config', file]);
    expect(code).toBe(2);
    expect(errors).toContain(
      `${file}: client.metadta: is unknown; allowed here: home, max-download-rate, max-upload-rate, metadata, peer-listen, premises`,
    );
  });

  it('that a mistyped variable says are refused', async () => {
    const { code, errors } = await run(['status'], { DRYSTONE_CLIENT_METADTA: 'x' });
    expect(code).toBe(2);
    expect(errors).toContain('DRYSTONE_CLIENT_METADTA: is no setting (Did you mean DRYSTONE_CLIENT_METADATA?)');
  });

  it('in a file whose name a variable leaves empty are refused, and the variable is named', async () => {
    const { code, errors } = await run(['status'], { DRYSTONE_CONFIG: '' });
    expect(code).toBe(2);
    expect(errors).toBe('drystone: DRYSTONE_CONFIG: must name a settings file, and is empty\n');
  });

  it('come from the environment and from a file', async () => {
    await logIn();
    const file = join(home, 'settings.toml');
    writeFileSync(file, '[client]\nmetadata = "127.0.0.1:10"\n');
    const fromFile = await run(['agent', 'list'], { DRYSTONE_CONFIG: file });
    expect(fromFile.errors).toContain('127.0.0.1:10');
    const environment = { DRYSTONE_CONFIG: file, DRYSTONE_CLIENT_METADATA: '127.0.0.1:11' };
    expect((await run(['agent', 'list'], environment)).errors).toContain('127.0.0.1:11');
    expect((await run(['agent', 'list', ...NOWHERE], environment)).errors).toContain('127.0.0.1:9');
  });
});

describe('where no metadata service answers', () => {
  beforeEach(logIn);

  it('commands end with 4 and say what to do', async () => {
    for (const args of [
      ['agent', 'list'],
      ['namespace', 'list'],
      ['namespace', 'create', 'x'],
      ['namespace', 'show', 'x'],
      ['account', 'list'],
      ['device', 'token'],
      ['audit'],
    ]) {
      const { code, output, errors } = await run([...args, ...NOWHERE]);
      expect({ code, output }).toEqual({ code: 4, output: '' });
      expect(errors).toContain("no metadata service answers at 127.0.0.1:9; start one with 'drystone metadata serve'");
    }
  });

  it('and say where it is the host that cannot be found', async () => {
    const { code, errors } = await run(['agent', 'list', '--metadata', 'nohost.invalid:7420']);
    expect(code).toBe(4);
    expect(errors).toBe(
      'drystone: no metadata service answers at nohost.invalid:7420: cannot find host nohost.invalid; ' +
        'check the name, or say where it is with --metadata\n',
    );
  });

  it('status says so as its result', async () => {
    const { code, output, errors } = await run(['status', '--json', '--dir', home, ...NOWHERE]);
    expect({ code, errors }).toEqual({ code: 4, errors: '' });
    expect(JSON.parse(output)).toMatchObject({
      device: { account: 'ana' },
      metadata: { address: '127.0.0.1:9', reachable: false },
    });
  });
});

describe('a directory that cannot be looked into', () => {
  it('is said to be that, and not to be no synced folder', async () => {
    await logIn();
    const round = join(home, 'round');
    symlinkSync(round, round);
    for (const args of [
      ['status', '--dir', round],
      ['conflicts', round],
      ['why', 'docs/x', '--dir', round],
    ]) {
      const { code, output, errors } = await run([...args, ...NOWHERE]);
      expect({ args, code, output }).toEqual({ args, code: 3, output: '' });
      expect(errors).toMatch(/^drystone: .*round cannot be looked into: ELOOP/);
    }
  });

  it('is named where it is the home of the device', async () => {
    const file = join(home, 'file');
    writeFileSync(file, '');
    for (const more of [[], NOWHERE]) {
      const { code, errors } = await run(['ls', 'docs', '--home', file, ...more]);
      expect(code).toBe(3);
      expect(errors).toMatch(
        /^drystone: \S+file, the home of this device \(--home\), cannot be read: ENOTDIR.*; name another\n$/,
      );
    }
  });
});

describe('where this device has not logged in', () => {
  it('commands end with 3 and say what to do', async () => {
    for (const args of [
      ['agent', 'list'],
      ['ls', 'docs'],
      ['cat', 'docs/x'],
      ['sync', home, '--namespace', 'docs'],
    ]) {
      const { code, output, errors } = await run([...args, ...NOWHERE]);
      expect({ args, code, output }).toEqual({ args, code: 3, output: '' });
      expect(errors).toMatch(
        /^drystone: this device has not logged in; get a token by .*admin\.token.*drystone login.\n$/,
      );
    }
    expect(existsSync(join(home, '.drystone'))).toBe(false);
  });

  it('status says so as its result', async () => {
    const { code, output } = await run(['status', '--dir', home, ...NOWHERE]);
    expect(code).toBe(3);
    expect(output).toContain("device    NOT LOGGED IN: get a token and run 'drystone login'");
    expect(output).toContain('metadata  not asked, because this device has not logged in');
    expect(output).toContain(`${home} is NO SYNCED FOLDER`);
  });

  it('status says of a directory that is not there that it is not', async () => {
    const { code, output } = await run(['status', '--dir', join(home, 'missing'), ...NOWHERE]);
    expect(code).toBe(3);
    expect(output).toContain(`folder    ${join(home, 'missing')} DOES NOT EXIST`);
  });
});

/** Lines above the first list of a help text that the first word of the next one would have fitted into. */
function shortLines(help: string): string[] {
  const lines = help.split(/^(?:Arguments|Options):$/m, 1)[0]!.split('\n');
  return lines.filter((line, index) => {
    const next = lines[index + 1]?.split(' ', 1)[0] ?? '';
    return line !== '' && next !== '' && `${line} ${next}`.length <= 79;
  });
}

describe('help', () => {
  it('has examples for every command', async () => {
    const commands = [
      ...['demo', 'login', 'sync', 'status', 'ls', 'cat', 'audit', 'why', 'conflicts'].map((name) => [name]),
      ...[
        ['metadata', 'serve'],
        ['conflicts', 'resolve'],
      ],
      ...['token', 'serve', 'list', 'revoke'].map((name) => ['agent', name]),
      ...['create', 'list', 'role'].map((name) => ['account', name]),
      ...['token', 'list', 'revoke'].map((name) => ['device', name]),
      ...['create', 'share', 'unshare', 'list', 'show', 'assign'].map((name) => ['namespace', name]),
    ];
    for (const command of commands) {
      const { code, output } = await run([...command, '--help']);
      expect({ command, code }).toEqual({ command, code: 0 });
      expect(output).toContain(`$ drystone ${command.join(' ')}`);
      expect(shortLines(output), command.join(' ')).toEqual([]);
    }
  });

  it('is the same for `help X` and `X --help`', async () => {
    const { output } = await run(['agent', 'serve', '--help']);
    expect(await run(['agent', 'help', 'serve'])).toMatchObject({ code: 0, output });
    expect(await run(['help', 'agent', 'serve'])).toMatchObject({ code: 0, output });
    expect(await run(['help', 'nothing-of-the-kind'])).toMatchObject({ code: 2 });
    const named = await run(['ls', 'help', ...NOWHERE]);
    expect(named.output).not.toContain('Usage:');
  });

  it('of the whole and its version are results; a group alone is wrong usage', async () => {
    const help = await run(['--help']);
    expect(help.code).toBe(0);
    expect(help.output).toContain('Exit codes: 0 done');
    const version = await run(['--version']);
    expect(version.code).toBe(0);
    expect(version.output).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(await run(['agent'])).toMatchObject({ code: 2, output: '' });
    expect(await run([])).toMatchObject({ code: 2, output: '' });
  });
});
