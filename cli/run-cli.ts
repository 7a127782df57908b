import { Command, CommanderError } from 'commander';
import { DrystoneError } from '../common/errors.js';
import { softwareVersion } from '../common/version.js';
import { addCommand, reportFailure, type Host } from './command.js';
import { accountCreate } from './commands/account-create.js';
import { accountList } from './commands/account-list.js';
import { accountRole } from './commands/account-role.js';
import { agentList } from './commands/agent-list.js';
import { agentRevoke } from './commands/agent-revoke.js';
import { agentServe } from './commands/agent-serve.js';
import { agentToken } from './commands/agent-token.js';
import { audit } from './commands/audit.js';
import { cat } from './commands/cat.js';
import { conflicts } from './commands/conflicts.js';
import { conflictsResolve } from './commands/conflicts-resolve.js';
import { demo } from './commands/demo.js';
import { deviceList } from './commands/device-list.js';
import { deviceRevoke } from './commands/device-revoke.js';
import { deviceToken } from './commands/device-token.js';
import { login } from './commands/login.js';
import { ls } from './commands/ls.js';
import { metadataServe } from './commands/metadata-serve.js';
import { namespaceAssign } from './commands/namespace-assign.js';
import { namespaceCreate } from './commands/namespace-create.js';
import { namespaceList } from './commands/namespace-list.js';
import { namespaceShare } from './commands/namespace-share.js';
import { namespaceShow } from './commands/namespace-show.js';
import { namespaceUnshare } from './commands/namespace-unshare.js';
import { status } from './commands/status.js';
import { sync } from './commands/sync.js';
import { why } from './commands/why.js';
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
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return exitCodes.ok;
    // Asked for a group of commands and not for one of them: help has been shown.
    if (thrown instanceof CommanderError && thrown.code === 'commander.help') return exitCodes.usage;
    const terminal = new Terminal(host.output, host.errors, args.includes('--json'));
    return reportFailure(terminal, thrown instanceof CommanderError ? usageError(thrown) : thrown, host.end);
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
  addCommands(program, host);
  return program;
}

/** In the order in which help shows them: that of the first steps. */
function addCommands(program: Command, host: Host): void {
  const group = (name: string, summary: string, description: string): Command =>
    program.command(name).summary(summary).description(description);
  addCommand(program, host, demo);
  const metadata = group('metadata', 'run the central service', 'The central service, which knows what lies where.');
  addCommand(metadata, host, metadataServe);
  addCommand(program, host, login);
  const agent = group('agent', 'run, admit and list block servers on premises', 'The block servers on premises.');
  addCommand(agent, host, agentToken);
  addCommand(agent, host, agentServe);
  addCommand(agent, host, agentList);
  addCommand(agent, host, agentRevoke);
  const account = group('account', 'create and list accounts', 'People and services, and who may run the fleet.');
  addCommand(account, host, accountCreate);
  addCommand(account, host, accountList);
  addCommand(account, host, accountRole);
  const device = group('device', 'admit, list and revoke devices', 'The endpoints of accounts.');
  addCommand(device, host, deviceToken);
  addCommand(device, host, deviceList);
  addCommand(device, host, deviceRevoke);
  const namespace = group('namespace', 'create, share and list shared folders', 'The roots of shared folders.');
  addCommand(namespace, host, namespaceCreate);
  addCommand(namespace, host, namespaceShare);
  addCommand(namespace, host, namespaceUnshare);
  addCommand(namespace, host, namespaceList);
  addCommand(namespace, host, namespaceShow);
  addCommand(namespace, host, namespaceAssign);
  addCommand(program, host, sync);
  addCommand(program, host, status);
  // Both have flags of one name, which belong to the one that they are typed after.
  const listing = addCommand(program, host, conflicts).enablePositionalOptions();
  addCommand(listing, host, conflictsResolve);
  addCommand(program, host, why);
  addCommand(program, host, ls);
  addCommand(program, host, cat);
  addCommand(program, host, audit);
}

function usageError(thrown: CommanderError): DrystoneError {
  const message = thrown.message.replace(/^error: /, '').replaceAll('\n', ' ');
  return new DrystoneError('INVALID_ARGUMENT', 'FIELD_INVALID', `${message}; try --help`);
}
