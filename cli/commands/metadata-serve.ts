import { invalidArgument } from '../../common/errors.js';
import type { MetadataConfig, RunningMetadata } from '../../metadata/program.js';
import { defineCommand } from '../command.js';
import { serveUntilEnd, type Announcement } from '../serving.js';
import { metadataSettings } from '../settings/sections.js';
import { withDefault, type SettingValues } from '../settings/setting.js';
import { toggle } from '../settings/values.js';

export const metadataServe = defineCommand({
  description:
    'It listens for clients and agents until it is ended by SIGTERM or SIGINT; then it finishes what it has begun. On the ' +
    "first start it makes the fleet's CA, and a one-time token for the first administrator in DATA/admin.token.",
  examples: [
    { command: 'drystone metadata serve --data /var/lib/drystone/metadata', comment: 'for this machine alone' },
    {
      command: 'drystone metadata serve --data ./metadata --listen 0.0.0.0:7420 --http 0.0.0.0:9420',
      comment: 'for other machines too, with metrics',
    },
    {
      command: 'drystone metadata serve --data ./metadata --recover-admin',
      comment: 'when every administrator has lost their devices',
    },
  ],
  positionals: {},
  flags: {
    'recover-admin': withDefault(toggle, 'write a new DATA/admin.token although there are administrators', false, ''),
  },
  section: 'metadata',
  settings: metadataSettings,
  async run({ flags, settings, logLevel, terminal, signal }) {
    const { startMetadata } = await import('../../metadata/program.js');
    const config = {
      dataDir: settings.data,
      engine: settings.engine,
      listen: settings.listen,
      http: settings.http,
      serverCertificate: serverCertificate(settings),
      recoverAdmin: flags['recover-admin'],
    };
    await serveUntilEnd(
      'metadata',
      logLevel,
      terminal,
      signal,
      (context) => startMetadata(config, context),
      (running) => announceAdministrator(running, flags['recover-admin']),
    );
    return undefined;
  },
});

function serverCertificate(settings: SettingValues<typeof metadataSettings>): MetadataConfig['serverCertificate'] {
  const { 'server-certificate': certificateFile, 'server-key': keyFile } = settings;
  if (certificateFile !== undefined && keyFile !== undefined) return { certificateFile, keyFile };
  if (certificateFile === undefined && keyFile === undefined) return undefined;
  const [given, missing] =
    keyFile === undefined ? ['--server-certificate', '--server-key'] : ['--server-key', '--server-certificate'];
  throw invalidArgument(missing, `must be given together with ${given}`);
}

/** Where the one-time token for an administrator lies, where there is one; `recover` says that one was asked for. */
export function announceAdministrator(
  { adminTokenFile }: Pick<RunningMetadata, 'adminTokenFile'>,
  recover: boolean,
): Announcement | undefined {
  if (adminTokenFile === undefined) return undefined;
  const why = recover
    ? 'a one-time token for an administrator was asked for and is there'
    : 'no administrator has logged in yet';
  return { facts: { adminTokenFile }, text: `${why}; on this machine: drystone login --token-file ${adminTokenFile}` };
}
