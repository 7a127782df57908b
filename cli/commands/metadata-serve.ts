import { defineCommand } from '../command.js';
import { serveUntilEnd } from '../serving.js';
import { metadataSettings } from '../settings/sections.js';

export const metadataServe = defineCommand({
  name: 'serve',
  summary: 'run the central metadata service',
  description:
    'It listens for clients and agents until it is ended by SIGTERM or SIGINT; then it finishes what it has begun.',
  examples: [
    { command: 'drystone metadata serve --data /var/lib/drystone/metadata', comment: 'for this machine alone' },
    {
      command: 'drystone metadata serve --data ./metadata --listen 0.0.0.0:7420 --http 0.0.0.0:9420',
      comment: 'for other machines too, with metrics',
    },
  ],
  positionals: {},
  flags: {},
  section: 'metadata',
  settings: metadataSettings,
  async run({ settings, logLevel, terminal, signal }) {
    const { startMetadata } = await import('../../metadata/program.js');
    const config = {
      dataDir: settings.data,
      engine: settings.engine,
      listen: settings.listen,
      http: settings.http,
    };
    await serveUntilEnd('metadata', logLevel, terminal, signal, (context) => startMetadata(config, context));
    return undefined;
  },
});
