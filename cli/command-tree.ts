import type { Readable } from 'node:stream';
import { type Command, Option } from 'commander';
import { DrystoneError, toDrystoneError } from '../common/errors.js';
import type { CommandSpec, Example, Invocation } from './command.js';
import type { ListedCommand, ListedGroup } from './listing.js';
import { exitCodeOf, exitCodes, type ExitCode } from './output/exit-codes.js';
import { Terminal, type OutputStream } from './output/terminal.js';
import { userDirectories, type Environment } from './settings/config.js';
import { refuseUnknownVariables, resolveSettings, type SettingSources } from './settings/resolve.js';
import { commonSettings } from './settings/sections.js';
import { parseSetting, type Setting, type SettingTable, type SettingValues } from './settings/setting.js';
import { loadSettingsFile } from './settings/settings-file.js';
import type { EndRequest } from './signals.js';

/** The world in which a command runs. */
export interface Host {
  readonly input: Readable;
  readonly output: OutputStream;
  readonly errors: OutputStream;
  readonly environment: Environment;
  readonly end: EndRequest;
  /** Told how the command ended. */
  exited(code: ExitCode): void;
}

/** Adds commands below `parent`: each is complete once it has been asked for. */
export function listCommands(parent: Command, host: Host, listing: readonly (ListedCommand | ListedGroup)[]): void {
  const completing = new Map<Command, () => Promise<void>>();
  for (const listed of listing) {
    const { name, summary } = listed;
    const command = parent.command(name).summary(summary);
    if ('load' in listed) {
      completing.set(command, async () => complete(command, host, listed, await listed.load()));
      // A command and those after it may have flags of one name, which belong to the one that they are typed after.
      if (listed.commands !== undefined) command.enablePositionalOptions();
    } else {
      command.description(listed.description);
    }
    listCommands(command, host, listed.commands ?? []);
  }
  parent.hook('preSubcommand', (_parent, command) => completing.get(command)?.());
}

function complete<P extends SettingTable, F extends SettingTable, S extends SettingTable>(
  command: Command,
  host: Host,
  { summary }: ListedCommand,
  spec: CommandSpec<P, F, S>,
): void {
  command.description(describe(summary, spec.description));
  for (const [key, setting] of Object.entries(spec.positionals)) {
    const name = positionalName(key, setting);
    command.argument(setting.fallback === undefined ? `<${name}>` : `[${name}]`, setting.about);
  }
  for (const table of [spec.flags, spec.settings, commonSettings]) {
    for (const [key, setting] of Object.entries(table)) command.addOption(optionOf(key, setting));
  }
  command.addOption(new Option('--config <FILE>', 'read settings from this file'));
  command.addOption(new Option('--json', 'print JSON: one document, or one a line where there are many'));
  command.addHelpText('after', exampleText(spec.examples));
  command.action(async () => host.exited(await runCommand(host, spec, command)));
}

function describe(summary: string, description: string | undefined): string {
  const sentence = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
  return description === undefined ? sentence : `${sentence}\n\n${description}`;
}

function positionalName(key: string, setting: Setting<unknown>): string {
  return setting.placeholder ?? key.toUpperCase();
}

function optionOf(key: string, setting: Setting<unknown>): Option {
  const value = setting.placeholder === undefined ? '' : ` <${setting.placeholder}>`;
  const option = new Option(`--${key}${value}`, setting.about);
  // Only shown: what is said, or not said, is resolved with the environment and the file (settings/resolve.ts).
  if (setting.fallback !== undefined && setting.fallback.shown !== '') {
    option.description += ` (default: ${setting.fallback.shown})`;
  }
  return option;
}

function exampleText(examples: readonly Example[]): string {
  const lines = examples.map(({ command, comment }) => `  # ${comment}\n  $ ${command}`);
  return `\nExamples:\n${lines.join('\n')}`;
}

async function runCommand<P extends SettingTable, F extends SettingTable, S extends SettingTable>(
  host: Host,
  spec: CommandSpec<P, F, S>,
  command: Command,
): Promise<ExitCode> {
  const given = flagsByKey(command);
  const terminal = new Terminal(host.output, host.errors, given.json === true);
  try {
    const { input, environment, end } = host;
    const invocation = await prepare(host, spec, command.args, given);
    return (await spec.run({ ...invocation, terminal, input, environment, signal: end.signal })) ?? exitCodes.ok;
  } catch (thrown) {
    return reportFailure(terminal, thrown, host.end);
  }
}

/** Says why a command failed, unless it was told to end; the code with which it ends. */
export function reportFailure(terminal: Terminal, thrown: unknown, end: EndRequest): ExitCode {
  const signal = end.received();
  const error = toDrystoneError(thrown);
  if (signal !== undefined && error.code === 'CANCELLED') {
    return signal === 'SIGTERM' ? exitCodes.terminated : exitCodes.interrupted;
  }
  terminal.error(error);
  return exitCodeOf(error);
}

async function prepare<P extends SettingTable, F extends SettingTable, S extends SettingTable>(
  host: Host,
  spec: CommandSpec<P, F, S>,
  args: readonly string[],
  given: Readonly<Record<string, unknown>>,
): Promise<Pick<Invocation<P, F, S>, 'positionals' | 'flags' | 'settings' | 'logLevel'>> {
  const { environment } = host;
  refuseUnknownVariables(environment);
  const directories = userDirectories(environment);
  const named = given.config;
  const file = await loadSettingsFile(typeof named === 'string' ? named : undefined, environment, directories);
  const sources: SettingSources = { flags: given, environment, file, directories };
  const positionals = Object.entries(spec.positionals).map(([key, setting], index) => [
    key,
    valueOf(setting, positionalName(key, setting), args[index], sources),
  ]);
  const flags = Object.entries(spec.flags).map(([key, setting]) => [
    key,
    valueOf(setting, `--${key}`, given[key], sources),
  ]);
  return {
    positionals: Object.fromEntries(positionals) as SettingValues<P>,
    flags: Object.fromEntries(flags) as SettingValues<F>,
    settings: resolveSettings(spec.section, spec.settings, sources),
    logLevel: resolveSettings(undefined, commonSettings, sources)['log-level'],
  };
}

/** What can only be said on the command line. */
function valueOf(setting: Setting<unknown>, where: string, raw: unknown, { directories }: SettingSources): unknown {
  if (raw !== undefined) return parseSetting(setting, where, raw);
  if (setting.fallback !== undefined) return setting.fallback.value(directories);
  throw new DrystoneError('INVALID_ARGUMENT', 'FIELD_INVALID', `${where} must be given`, { field: where });
}

function flagsByKey(command: Command): Readonly<Record<string, unknown>> {
  const values = command.opts();
  return Object.fromEntries(
    command.options.map((option) => {
      const value = values[option.attributeName()] as unknown;
      // A switch that says no is given where what it denies no longer holds.
      return [option.name(), option.negate ? value === false || undefined : value];
    }),
  );
}
