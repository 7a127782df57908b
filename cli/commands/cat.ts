import { invalidArgument } from '../../common/errors.js';
import { defineCommand } from '../command.js';
import { explainUnreachable } from '../fleet/fleet-connection.js';
import { metadataAddress } from '../fleet/login-record.js';
import { createProgramContext } from '../program-context.js';
import { clientSettings } from '../settings/sections.js';
import { required } from '../settings/setting.js';
import { location } from '../settings/values.js';
import { failWhenAborted } from '../signals.js';

export const cat = defineCommand({
  description:
    'Every block is verified before it is written. With --json only errors are JSON: the bytes are the result.',
  examples: [
    { command: 'drystone cat reports/2026/march.txt', comment: 'read a text' },
    { command: 'drystone cat reports/backup.tar | tar -t', comment: 'look into an archive' },
  ],
  positionals: { location: required(location, 'the file') },
  flags: {},
  section: 'client',
  settings: clientSettings,
  async run({ positionals, settings, logLevel, terminal, signal }) {
    const { namespace, path } = positionals.location;
    if (path === '') throw invalidArgument('NAMESPACE/PATH', `must name a file, such as ${namespace}/notes.txt`);
    const { readFile } = await import('../../client/reader.js');
    const metadata = await metadataAddress(settings);
    const config = { premises: settings.premises, metadata, namespace, homeDir: settings.home };
    const context = createProgramContext('cat', logLevel ?? 'silent');
    try {
      await Promise.race([readFile(config, context, path, terminal.bytes), failWhenAborted(signal)]);
    } catch (thrown) {
      throw explainUnreachable(metadata, thrown);
    }
    return undefined;
  },
});
