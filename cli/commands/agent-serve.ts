import type { Readable } from 'node:stream';
import { invalidArgument } from '../../common/errors.js';
import { loadIdentity } from '../../common/identity/identity-files.js';
import { compileLater } from '../../common/program/compiling.js';
import { keepFreedMemory } from '../../common/program/freed-memory.js';
import { allowHeapGrowth } from '../../common/program/heap.js';
import { defineCommand } from '../command.js';
import { serveUntilEnd } from '../serving.js';
import { readTokenFile } from '../settings/one-time-token.js';
import { agentSettings } from '../settings/sections.js';
import type { SettingValues } from '../settings/setting.js';

export const agentServe = defineCommand({
  description:
    'On its first start it joins the fleet with a one-time token; later it needs none. It keeps the blocks of the namespaces ' +
    'that are assigned to it, and serves them until it is ended by SIGTERM or SIGINT; then it finishes what it has begun.',
  examples: [
    {
      command: 'drystone agent serve --data /srv/drystone --metadata meta.example.org:7420 --join-file lisbon.token',
      comment: 'at the site for which the token is',
    },
    {
      command: 'drystone agent serve --data ./porto --listen 127.0.0.1:7422 --http 127.0.0.1:9422',
      comment: 'a second one on the same machine, which has joined before',
    },
  ],
  positionals: {},
  flags: {},
  section: 'agent',
  settings: agentSettings,
  async run({ settings, logLevel, terminal, input, signal }) {
    compileLater();
    allowHeapGrowth();
    keepFreedMemory();
    const { startAgent } = await import('../../agent/program.js');
    const config = {
      dataDir: settings.data,
      metadata: settings.metadata,
      join: await tokenText(settings, input),
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

/** The one-time token that was given. Where the agent has joined already, a file that is gone by now is no error. */
async function tokenText(settings: SettingValues<typeof agentSettings>, input: Readable): Promise<string | undefined> {
  const { join, 'join-file': file, data } = settings;
  if (join !== undefined && file !== undefined) {
    throw invalidArgument('--join-file', 'cannot be given together with --join, or DRYSTONE_AGENT_JOIN');
  }
  if (file === undefined) return join?.tokenText;
  try {
    return (await readTokenFile('--join-file', file, input)).tokenText;
  } catch (thrown) {
    if ((await loadIdentity(data, 'agent')) === undefined) throw thrown;
    return undefined;
  }
}
