import { compileLater } from '../../common/program/compiling.js';
import { allowHeapGrowth } from '../../common/program/heap.js';
import { defineCommand } from '../command.js';
import { serveUntilEnd } from '../serving.js';
import { agentSettings } from '../settings/sections.js';

export const agentServe = defineCommand({
  name: 'serve',
  summary: 'run a block server at a site',
  description:
    'It registers with the metadata service, keeps the blocks of the namespaces that are assigned to it, and serves them ' +
    'until it is ended by SIGTERM or SIGINT; then it finishes what it has begun.',
  examples: [
    {
      command: 'drystone agent serve --data /srv/drystone --metadata meta.example.org:7420 --premises lisbon',
      comment: 'at the site lisbon',
    },
    {
      command: 'drystone agent serve --data ./porto --premises porto --listen 127.0.0.1:7422 --http 127.0.0.1:9422',
      comment: 'a second one on the same machine',
    },
  ],
  positionals: {},
  flags: {},
  section: 'agent',
  settings: agentSettings,
  async run({ settings, logLevel, terminal, signal }) {
    compileLater();
    allowHeapGrowth();
    const { startAgent } = await import('../../agent/program.js');
    const config = {
      dataDir: settings.data,
      metadata: settings.metadata,
      premises: settings.premises,
      listen: settings.listen,
      advertise: settings.advertise,
      http: settings.http,
      freeFloorBytes: settings['free-floor'],
    };
    await serveUntilEnd('agent', logLevel, terminal, signal, (context) => startAgent(config, context));
    return undefined;
  },
});
