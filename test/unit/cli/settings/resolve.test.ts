import { describe, expect, it } from 'vitest';
import { userDirectories, type Environment } from '../../../../cli/settings/config.js';
import {
  environmentVariable,
  refuseUnknownVariables,
  resolveSettings,
  type SettingSources,
} from '../../../../cli/settings/resolve.js';
import { agentSettings, clientSettings, metadataSettings } from '../../../../cli/settings/sections.js';
import { parseSettingsFile } from '../../../../cli/settings/settings-file.js';

interface Said {
  readonly flags?: Record<string, unknown>;
  readonly environment?: Environment;
  readonly file?: string;
}

function sources({ flags = {}, environment = {}, file }: Said): SettingSources {
  return {
    flags,
    environment,
    file: file === undefined ? undefined : parseSettingsFile('/etc/drystone.toml', file),
    directories: userDirectories({ HOME: '/home/user', ...environment }),
  };
}

const listen = { listen: agentSettings.listen };

describe('the precedence of settings', () => {
  const file = '[agent]\nlisten = "127.0.0.1:3"';
  const environment = { DRYSTONE_AGENT_LISTEN: '127.0.0.1:2' };
  const flags = { listen: '127.0.0.1:1' };

  it.each([
    ['flags win over all', { flags, environment, file }, '127.0.0.1:1'],
    ['the environment wins over the file', { environment, file }, '127.0.0.1:2'],
    ['the file wins over the default', { file }, '127.0.0.1:3'],
    ['the default is last', {}, '127.0.0.1:7421'],
    ['another section does not count', { file: '[metadata]\nlisten = "127.0.0.1:3"' }, '127.0.0.1:7421'],
  ])('%s', (_what, said, expected) => {
    expect(resolveSettings('agent', listen, sources(said))).toEqual({ listen: expected });
  });

  it('holds for each setting by itself', () => {
    const table = { listen: agentSettings.listen, http: agentSettings.http, 'free-floor': agentSettings['free-floor'] };
    const resolved = resolveSettings(
      'agent',
      table,
      sources({ flags: { http: 'off' }, environment, file: '[agent]\nfree-floor = "2GiB"\nhttp = "[::1]:9"' }),
    );
    expect(resolved).toEqual({ listen: '127.0.0.1:2', http: undefined, 'free-floor': 2 * 1024 ** 3 });
  });

  it('lets a value that turns something off win as any other', () => {
    const http = { http: metadataSettings.http };
    const said = { environment: { DRYSTONE_METADATA_HTTP: 'off' }, file: '[metadata]\nhttp = "127.0.0.1:9"' };
    expect(resolveSettings('metadata', http, sources(said))).toEqual({ http: undefined });
  });
});

describe('resolveSettings', () => {
  it('names all ways to say what is required and said nowhere', () => {
    expect(() => resolveSettings('agent', { data: agentSettings.data }, sources({}))).toThrow(
      '--data: must be given; or set DRYSTONE_AGENT_DATA, or data in [agent] of the settings file',
    );
  });

  it.each([
    [{ flags: { listen: 'nowhere' } }, '--listen: must be HOST:PORT'],
    [{ environment: { DRYSTONE_AGENT_LISTEN: '1:2:3' } }, 'DRYSTONE_AGENT_LISTEN: must be HOST:PORT'],
    [{ environment: { DRYSTONE_AGENT_LISTEN: '' } }, 'DRYSTONE_AGENT_LISTEN: must be HOST:PORT'],
  ])('names the source of a value that is refused', (said: Said, message) => {
    expect(() => resolveSettings('agent', listen, sources(said))).toThrow(message);
  });

  it('takes the home directory from XDG_DATA_HOME, else from HOME', () => {
    const home = { home: clientSettings.home };
    expect(resolveSettings('client', home, sources({}))).toEqual({ home: '/home/user/.local/share/drystone' });
    const environment = { XDG_DATA_HOME: '/data' };
    expect(resolveSettings('client', home, sources({ environment }))).toEqual({ home: '/data/drystone' });
  });
});

describe('variables', () => {
  it('are called after section and key', () => {
    expect(environmentVariable('agent', 'free-floor')).toBe('DRYSTONE_AGENT_FREE_FLOOR');
    expect(environmentVariable(undefined, 'log-level')).toBe('DRYSTONE_LOG_LEVEL');
  });

  it('that say no setting are refused by name', () => {
    expect(() => refuseUnknownVariables({ DRYSTONE_AGENT_LISTN: 'x' })).toThrow(
      /^DRYSTONE_AGENT_LISTN: is no setting \(Did you mean DRYSTONE_AGENT_LISTEN\?\); the variables are: .*DRYSTONE_AGENT_DATA/,
    );
  });

  it.each([
    ['DRYSTONE_CLIENT_METADTA', 'DRYSTONE_CLIENT_METADATA'],
    ['DRYSTONE_LOGLEVEL', 'DRYSTONE_LOG_LEVEL'],
    ['DRYSTONE_AGENT_FREE_FLOR', 'DRYSTONE_AGENT_FREE_FLOOR'],
    ['DRYSTONE_FREE_FLOOR', 'DRYSTONE_AGENT_FREE_FLOOR'],
  ])('that are mistyped are told the nearest one: %s', (name, meant) => {
    expect(() => refuseUnknownVariables({ [name]: 'x' })).toThrow(` is no setting (Did you mean ${meant}?); `);
  });

  it('that are like none are told the whole list alone', () => {
    expect(() => refuseUnknownVariables({ DRYSTONE_SOMETHING_ELSE: 'x' })).toThrow(
      / is no setting; the variables are: /,
    );
  });

  it('that describe a Kubernetes service called drystone-agent are none of ours', () => {
    const names = [
      'DRYSTONE_AGENT_SERVICE_HOST',
      'DRYSTONE_AGENT_SERVICE_PORT',
      'DRYSTONE_AGENT_SERVICE_PORT_GRPC',
      'DRYSTONE_AGENT_PORT',
      'DRYSTONE_AGENT_PORT_7421_TCP',
      'DRYSTONE_AGENT_PORT_7421_TCP_ADDR',
    ];
    expect(() => refuseUnknownVariables(Object.fromEntries(names.map((name) => [name, 'x'])))).not.toThrow();
  });

  it('of others are left alone', () => {
    expect(() =>
      refuseUnknownVariables({ PATH: '/bin', DRYSTONE_CONFIG: 'x', DRYSTONE_TOKEN: 'x', DRYSTONE_LOG_LEVEL: 'info' }),
    ).not.toThrow();
  });
});
