import { Command, CommanderError } from 'commander';
import { DrystoneError } from '../common/errors.js';
import { softwareVersion } from '../common/version.js';
import { listCommands, reportFailure, type Host } from './command-tree.js';
import { listing, type ListedCommand, type ListedGroup } from './listing.js';
import { exitCodes, type ExitCode } from './output/exit-codes.js';
import { Terminal } from './output/terminal.js';

const DESCRIPTION = `Keeps an organisation's shared folders on its own sites.`;

const HELP_FOOTER = `
Each flag that is a setting can also come from the environment or a settings file: flags win over DRYSTONE_ variables,
those over the file ($XDG_CONFIG_HOME/drystone/config.toml, or --config FILE), the file over the defaults.

Exit codes: 0 done, 1 failed, 2 wrong usage or input, 3 refused (busy, unknown, exists already, not allowed), 4
unreachable or overloaded (try again), 130 and 143 ended by SIGINT and SIGTERM before it was done.

Start with:
  $ drystone demo`;

/** Runs the command that `args` ask for; resolves with the code with which the process is to end. */
export async function runCli(args: readonly string[], host: Omit<Host, 'exited'>): Promise<ExitCode> {
  let code: ExitCode = exitCodes.ok;
  const program = createProgram({ ...host, exited: (ended) => (code = ended) });
  try {
    const flagged = helpAsFlag(args);
    if (flagged[0] !== 'help' && flagged.some((arg) => arg === '--help' || arg === '-h'))
      refuseUnknown(flagged, listing);
    await program.parseAsync(flagged, { from: 'user' });
    return code;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return exitCodes.ok;
    // Asked for a group of commands and not for one of them: help has been shown.
    if (thrown instanceof CommanderError && thrown.code === 'commander.help') return exitCodes.usage;
    const terminal = new Terminal(host.output, host.errors, args.includes('--json'));
    return reportFailure(terminal, thrown instanceof CommanderError ? usageError(messageOf(thrown)) : thrown, host.end);
  }
}

function createProgram(host: Host): Command {
  const program = new Command('drystone')
    .description(DESCRIPTION)
    .version(softwareVersion)
    .exitOverride()
    .enablePositionalOptions()
    .configureOutput({
      writeOut: (text) => host.output.write(text),
      writeErr: (text) => host.errors.write(text),
      // Shown with all other errors, as text or as JSON.
      outputError: () => undefined,
    })
    .addHelpText('after', HELP_FOOTER);
  listCommands(program, host, listing);
  return program;
}

/** `help X` is `X --help`: only a command that is asked for is loaded, and says what it takes. */
function helpAsFlag([first, ...rest]: readonly string[], listed: Listing = listing): readonly string[] {
  if (first === undefined) return [];
  if (first === 'help') {
    refuseUnknown(rest, listed);
    return listed.some(({ name }) => name === rest[0]) ? [...rest, '--help'] : [first, ...rest];
  }
  const group = listing.find((one): one is ListedGroup => !('load' in one) && one.name === first);
  return group === undefined || listed !== listing ? [first, ...rest] : [first, ...helpAsFlag(rest, group.commands)];
}

type Listing = readonly (ListedCommand | ListedGroup)[];

/** Help for what there is not would be that for something else. */
function refuseUnknown([first, ...rest]: readonly string[], listed: Listing): void {
  if (first === undefined || first.startsWith('-')) return;
  const found = listed.find(({ name }) => name === first);
  if (found === undefined) throw usageError(`there is no command '${first}'`);
  if (!('load' in found)) refuseUnknown(rest, found.commands);
}

function usageError(wrong: string): DrystoneError {
  return new DrystoneError('INVALID_ARGUMENT', 'FIELD_INVALID', `${wrong.replace(/\.$/, '')}; try --help`);
}

function messageOf({ message }: CommanderError): string {
  return message.replace(/^error: /, '').replaceAll('\n', ' ');
}
