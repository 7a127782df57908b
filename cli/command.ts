import type { Readable } from 'node:stream';
import type { LogLevel } from '../common/logging.js';
import type { ExitCode } from './output/exit-codes.js';
import type { Terminal } from './output/terminal.js';
import type { Environment } from './settings/config.js';
import type { SectionName } from './settings/sections.js';
import type { SettingTable, SettingValues } from './settings/setting.js';

/** What one command of `drystone` takes and does. */
export interface CommandSpec<
  Positionals extends SettingTable,
  Flags extends SettingTable,
  Settings extends SettingTable,
> {
  /** What a user must know beyond its summary, in a few lines. */
  readonly description?: string;
  readonly examples: readonly Example[];
  /** Arguments without a flag, in the order of their keys, those with a fallback last; shown by their placeholders. */
  readonly positionals: Positionals;
  /** Flags that are said anew for each run. */
  readonly flags: Flags;
  /** Flags that a file or the environment can hold as well: keys of this section. */
  readonly section: SectionName;
  readonly settings: Settings;
  run(invocation: Invocation<Positionals, Flags, Settings>): Promise<ExitCode | undefined>;
}

export interface Example {
  readonly command: string;
  readonly comment: string;
}

/** What a command is run with: everything parsed and checked. */
export interface Invocation<
  Positionals extends SettingTable,
  Flags extends SettingTable,
  Settings extends SettingTable,
> {
  readonly positionals: SettingValues<Positionals>;
  readonly flags: SettingValues<Flags>;
  readonly settings: SettingValues<Settings>;
  readonly logLevel: LogLevel | undefined;
  readonly terminal: Terminal;
  /** Standard input; read where a flag says so. */
  readonly input: Readable;
  /** For the programs that this one starts. */
  readonly environment: Environment;
  /** Aborts when the user wants the command to end. */
  readonly signal: AbortSignal;
}

/** A command, its types inferred from its tables of settings. */
export function defineCommand<P extends SettingTable, F extends SettingTable, S extends SettingTable>(
  spec: CommandSpec<P, F, S>,
): CommandSpec<P, F, S> {
  return spec;
}
