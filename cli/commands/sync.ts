import { cancelled, invalidArgument } from '../../common/errors.js';
import { parseNamespaceName } from '../../common/ids.js';
import { compileLater } from '../../common/program/compiling.js';
import { allowHeapGrowth } from '../../common/program/heap.js';
import { defineCommand } from '../command.js';
import { explainUnreachable } from '../fleet/fleet-connection.js';
import { metadataAddress } from '../fleet/login-record.js';
import { exitCodes } from '../output/exit-codes.js';
import { createProgramContext } from '../program-context.js';
import { syncSettings } from '../settings/sections.js';
import { required, withDefault } from '../settings/setting.js';
import { directory, name, toggle } from '../settings/values.js';
import { SyncReporter } from '../sync-reporter.js';

export const sync = defineCommand({
  description:
    'It watches both sides until it is ended by SIGINT or SIGTERM, and waits while the fleet cannot be reached; it ends by ' +
    'itself when this device is revoked or its account is no member any more. Patterns in a .drystoneignore file (gitignore ' +
    'syntax) are left out. The folder is made where there is none. Blocks are shared with other endpoints of the namespace: ' +
    'they are fetched from those nearby before agents are asked, and given to members who ask.',
  examples: [
    { command: 'drystone sync ~/reports --namespace reports', comment: 'until Ctrl-C' },
    { command: 'drystone sync ~/reports --namespace reports --once', comment: 'until both sides are equal' },
    {
      command: 'drystone sync . --namespace reports --premises lisbon --max-upload-rate 2MB',
      comment: 'prefer the agents and endpoints of the site lisbon, and leave the line to others',
    },
  ],
  positionals: { dir: required(directory, 'the folder') },
  flags: {
    namespace: required(name(parseNamespaceName), 'what the folder is to be the same as'),
    once: withDefault(toggle, 'end as soon as both sides are equal', false, ''),
    'no-peers': withDefault(toggle, 'give nothing to other endpoints and take nothing from them', false, ''),
    'peers-only-lan': withDefault(
      toggle,
      'share blocks only with endpoints that are heard on the local network',
      false,
      '',
    ),
  },
  section: 'client',
  settings: syncSettings,
  async run({ positionals, flags, settings, logLevel, terminal, signal }) {
    if (flags['no-peers'] && flags['peers-only-lan']) {
      throw invalidArgument(
        '--peers-only-lan',
        'cannot be said with --no-peers, which shares with nobody; leave one out',
      );
    }
    compileLater();
    allowHeapGrowth();
    const { startSync } = await import('../../client/program.js');
    const context = createProgramContext('sync', logLevel ?? 'silent');
    const { namespace, once } = flags;
    const { premises, home: homeDir } = settings;
    const metadata = await metadataAddress(settings);
    const reporter = new SyncReporter(terminal, context.clock);
    const listen = flags['no-peers'] ? undefined : settings['peer-listen'];
    const config = {
      root: positionals.dir,
      namespace,
      metadata,
      premises,
      homeDir,
      once,
      peers: listen === undefined ? undefined : { listen, onlyLan: flags['peers-only-lan'] },
      maxUploadRate: settings['max-upload-rate'],
      maxDownloadRate: settings['max-download-rate'],
    };
    const running = await startSync(config, context, reporter);
    reporter.started(() => running.summary());
    const stop = (): void => void running.stop();
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    const summary = await running.finished.catch((thrown: unknown) => {
      throw explainUnreachable(metadata, thrown);
    });
    reporter.finished(summary);
    if (once && signal.aborted) throw cancelled('the sync');
    // What was asked for is that both sides are equal: with something left out they are not.
    return once && summary.problems > 0 ? exitCodes.failure : undefined;
  },
});
