import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { invalidArgument } from '../../common/errors.js';
import type { Environment, UserDirectories } from './config.js';
import { commonSettings, sections, type SectionName } from './sections.js';
import { parseSetting, type SettingTable } from './setting.js';

/** What a settings file says, every key and value of it checked. */
export interface SettingsFile {
  readonly path: string;
  /** Values as parsed, by key; of `common`, and of each section. */
  readonly common: ReadonlyMap<string, unknown>;
  readonly sections: Readonly<Record<SectionName, ReadonlyMap<string, unknown>>>;
}

/**
 * Reads the settings file that the user names (`--config`, then DRYSTONE_CONFIG), or else the one in the user's
 * configuration directory, where there is one. Raises INVALID_ARGUMENT that names file, key and what is allowed: a
 * file that was named and is not there, a syntax error, a key that is unknown, a value that is refused.
 */
export async function loadSettingsFile(
  named: string | undefined,
  environment: Environment,
  directories: UserDirectories,
): Promise<SettingsFile | undefined> {
  const asked = named ?? environment.DRYSTONE_CONFIG;
  if (asked === '') {
    const where = named === undefined ? 'DRYSTONE_CONFIG' : '--config';
    throw invalidArgument(where, 'must name a settings file, and is empty');
  }
  const path = asked ?? join(directories.config, 'config.toml');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    if (asked === undefined && code === 'ENOENT') return undefined;
    throw invalidArgument(path, `cannot read this settings file (${message}); name another with --config`);
  }
  return parseSettingsFile(path, text);
}

/** The settings in `text`; `path` is for errors. */
export function parseSettingsFile(path: string, text: string): SettingsFile {
  const document = parseDocument(path, text);
  const names = Object.keys(sections) as SectionName[];
  const common = new Map(Object.entries(document).filter(([key]) => !names.includes(key as SectionName)));
  return {
    path,
    common: checkTable(path, '', commonSettings, common, `; sections: ${names.map((name) => `[${name}]`).join(', ')}`),
    sections: {
      metadata: checkSection(path, 'metadata', document),
      agent: checkSection(path, 'agent', document),
      client: checkSection(path, 'client', document),
    },
  };
}

function parseDocument(path: string, text: string): Readonly<Record<string, unknown>> {
  try {
    return parse(text);
  } catch (thrown) {
    if (!(thrown instanceof TomlError)) throw thrown;
    const [problem = 'is not TOML'] = thrown.message.split('\n');
    throw invalidArgument(`${path}:${thrown.line}:${thrown.column}`, problem);
  }
}

function checkSection(path: string, name: SectionName, document: Readonly<Record<string, unknown>>) {
  const section = document[name] ?? {};
  if (typeof section !== 'object' || Array.isArray(section)) {
    throw invalidArgument(`${path}: ${name}`, `must be a section, [${name}]`);
  }
  return checkTable(path, `${name}.`, sections[name], new Map(Object.entries(section)), '');
}

function checkTable(
  path: string,
  prefix: string,
  table: SettingTable,
  values: ReadonlyMap<string, unknown>,
  alsoAllowed: string,
): ReadonlyMap<string, unknown> {
  const parsed = new Map<string, unknown>();
  for (const [key, value] of values) {
    const where = `${path}: ${prefix}${key}`;
    const setting = Object.hasOwn(table, key) ? table[key] : undefined;
    if (setting === undefined) {
      throw invalidArgument(where, `is unknown; allowed here: ${Object.keys(table).sort().join(', ')}${alsoAllowed}`);
    }
    parsed.set(key, parseSetting(setting, where, value));
  }
  return parsed;
}
