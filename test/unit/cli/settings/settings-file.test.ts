import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { userDirectories } from '../../../../cli/settings/config.js';
import { loadSettingsFile, parseSettingsFile } from '../../../../cli/settings/settings-file.js';

describe('parseSettingsFile', () => {
  it('takes settings of all sections and those above them', () => {
    const file = parseSettingsFile(
      'x.toml',
      'log-level = "debug"\n[metadata]\nengine = "memory"\n[agent]\nfree-floor = 4096\n[client]\npremises = "office"',
    );
    expect([...file.common]).toEqual([['log-level', 'debug']]);
    expect([...file.sections.metadata]).toEqual([['engine', 'memory']]);
    expect([...file.sections.agent]).toEqual([['free-floor', 4096]]);
    expect([...file.sections.client]).toEqual([['premises', 'office']]);
  });

  it.each([
    [
      'a key that is unknown',
      '[agent]\nlistn = "x"',
      /^x\.toml: agent\.listn: is unknown; allowed here: advertise, data, /,
    ],
    [
      'a section that is unknown',
      '[agents]\n',
      /^x\.toml: agents: is unknown; allowed here: log-level; sections: \[metadata\]/,
    ],
    ['a name that every object has', '[agent]\nconstructor = 1', /^x\.toml: agent\.constructor: is unknown/],
    ['a value of the wrong kind', '[agent]\nlisten = 12', /^x\.toml: agent\.listen: must be HOST:PORT.*, not 12$/],
    [
      'a wrong word',
      '[metadata]\nengine = "sql"',
      /^x\.toml: metadata\.engine: must be one of lmdb, memory, not "sql"$/,
    ],
    [
      'a wrong size',
      '[agent]\nfree-floor = "lots"',
      /^x\.toml: agent\.free-floor: must be a number of bytes, .*, not "lots"$/,
    ],
    ['a negative size', '[agent]\nfree-floor = -1', /^x\.toml: agent\.free-floor: must be a number of bytes/],
    ['a wrong name', '[client]\npremises = "The Office"', /^x\.toml: client\.premises: must be 1 to 64 characters/],
    [
      'a wrong token, which it does not repeat',
      '[agent]\njoin = "agent:lisbon:secret"',
      /^x\.toml: agent\.join: must be a one-time token, [^:]*$/,
    ],
    ['a section that is a value', 'agent = 3', /^x\.toml: agent: must be a section/],
    ['a section that is a list', '[[agent]]\nlisten = "x"', /^x\.toml: agent: must be a section/],
    ['what is no TOML', '[agent]\nlisten = ', /^x\.toml:2:10: /],
  ])('names file and key of %s', (_what, text, message) => {
    expect(() => parseSettingsFile('x.toml', text)).toThrow(message);
  });
});

describe('loadSettingsFile', () => {
  let home: string;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'drystone-settings-'));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  function write(name: string, level: string): string {
    const path = join(home, name);
    writeFileSync(path, `log-level = "${level}"`);
    return path;
  }

  async function levelOf(named: string | undefined, environment: Record<string, string>): Promise<unknown> {
    const all = { HOME: home, ...environment };
    return (await loadSettingsFile(named, all, userDirectories(all)))?.common.get('log-level');
  }

  it('takes the named file, else that of DRYSTONE_CONFIG, else the user’s own, else none', async () => {
    expect(await levelOf(undefined, {})).toBeUndefined();
    mkdirSync(join(home, '.config/drystone'), { recursive: true });
    write('.config/drystone/config.toml', 'error');
    expect(await levelOf(undefined, {})).toBe('error');
    const environment = { DRYSTONE_CONFIG: write('environment.toml', 'warn') };
    expect(await levelOf(undefined, environment)).toBe('warn');
    expect(await levelOf(write('flag.toml', 'info'), environment)).toBe('info');
  });

  it('refuses a named file that is not there', async () => {
    await expect(levelOf(join(home, 'none.toml'), {})).rejects.toThrow(
      `${join(home, 'none.toml')}: cannot read this settings file`,
    );
    await expect(levelOf(undefined, { DRYSTONE_CONFIG: '/nowhere.toml' })).rejects.toThrow(
      '/nowhere.toml: cannot read',
    );
  });
});
