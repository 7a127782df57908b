import { invalidArgument } from '../../common/errors.js';
import type { Environment, UserDirectories } from './config.js';
import { nearestNames } from './nearest-names.js';
import { TOKEN_VARIABLE } from './one-time-token.js';
import { commonSettings, sections, type SectionName } from './sections.js';
import { parseSetting, type Setting, type SettingTable, type SettingValues } from './setting.js';
import type { SettingsFile } from './settings-file.js';

/** Where settings come from, strongest first: flags, environment, file, defaults. */
export interface SettingSources {
  /** Flags as given, by key. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly environment: Environment;
  readonly file: SettingsFile | undefined;
  readonly directories: UserDirectories;
}

/**
 * The values of some of a section's settings: each from the strongest source that says it. Raises INVALID_ARGUMENT that
 * names the source of a value that is refused, or the ways to say one that is required and said nowhere.
 */
export function resolveSettings<Table extends SettingTable>(
  section: SectionName | undefined,
  table: Table,
  sources: SettingSources,
): SettingValues<Table> {
  const inFile = section === undefined ? sources.file?.common : sources.file?.sections[section];
  const resolved = Object.entries(table).map(([key, setting]) => [
    key,
    resolveSetting(section, key, setting, inFile, sources),
  ]);
  return Object.fromEntries(resolved) as SettingValues<Table>;
}

function resolveSetting(
  section: SectionName | undefined,
  key: string,
  setting: Setting<unknown>,
  inFile: ReadonlyMap<string, unknown> | undefined,
  { flags, environment, directories }: SettingSources,
): unknown {
  const variable = environmentVariable(section, key);
  const fromFlag = flags[key];
  if (fromFlag !== undefined) return parseSetting(setting, `--${key}`, fromFlag);
  const fromEnvironment = environment[variable];
  if (fromEnvironment !== undefined) return parseSetting(setting, variable, fromEnvironment);
  if (inFile?.has(key) === true) return inFile.get(key);
  if (setting.fallback !== undefined) return setting.fallback.value(directories);
  const inSection = section === undefined ? '' : ` in [${section}] of the settings file`;
  throw invalidArgument(`--${key}`, `must be given; or set ${variable}, or ${key}${inSection}`);
}

/** The variable that says a setting: DRYSTONE_AGENT_FREE_FLOOR for `free-floor` in `[agent]`. */
export function environmentVariable(section: SectionName | undefined, key: string): string {
  const words = section === undefined ? ['drystone', key] : ['drystone', section, key];
  return words.join('_').replaceAll('-', '_').toUpperCase();
}

/** Kubernetes describes the services of a cluster in variables of this form, named after the service. */
const SERVICE_LINK_PATTERN = /_SERVICE_(HOST|PORT(_.+)?)$|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$/;

/** Raises INVALID_ARGUMENT for a DRYSTONE_ variable that says no setting: most likely it is mistyped. */
export function refuseUnknownVariables(environment: Environment): void {
  const known = new Set(['DRYSTONE_CONFIG', TOKEN_VARIABLE]);
  for (const key of Object.keys(commonSettings)) known.add(environmentVariable(undefined, key));
  for (const section of Object.keys(sections) as SectionName[]) {
    for (const key of Object.keys(sections[section])) known.add(environmentVariable(section, key));
  }
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('DRYSTONE_') || known.has(name) || SERVICE_LINK_PATTERN.test(name)) continue;
    const sorted = [...known].sort();
    throw invalidArgument(name, `is no setting${suggestion(name, sorted)}; the variables are: ${sorted.join(', ')}`);
  }
}

/** What a variable may have been meant as: one that is written much the same, or that of a section which was left out. */
function suggestion(name: string, known: readonly string[]): string {
  const ofSections = known.filter((one) => one.endsWith(name.replace(/^DRYSTONE/, '')));
  const meant = ofSections.length > 0 ? ofSections : nearestNames(name, known);
  return meant.length === 0 ? '' : ` (Did you mean ${meant.join(' or ')}?)`;
}
