import type { Readable } from 'node:stream';
import { systemClock } from '../../common/clock.js';
import { invalidArgument } from '../../common/errors.js';
import { systemRandom } from '../../common/random.js';
import { defineCommand } from '../command.js';
import { explainUnreachable } from '../fleet/fleet-connection.js';
import { logIn } from '../fleet/log-in.js';
import { metadataAddress } from '../fleet/login-record.js';
import { formatMoment } from '../output/units.js';
import { parseToken, readTokenFile, TOKEN_VARIABLE } from '../settings/one-time-token.js';
import { fleetSettings } from '../settings/sections.js';
import { optional } from '../settings/setting.js';
import { fileOrInput, oneTimeToken, type GivenToken } from '../settings/values.js';

export const login = defineCommand({
  description:
    'It makes a key, has it certified, and remembers where the metadata service is. The token comes as an argument, which ' +
    `others see in process lists while it runs, from a file, from standard input, or from the variable ${TOKEN_VARIABLE}.`,
  examples: [
    { command: 'drystone login --token-file ana.token --metadata meta.example.org:7420', comment: 'as the token says' },
    { command: 'drystone login --token-file - < ana.token', comment: 'from standard input' },
    { command: 'drystone login --token-file ./metadata/admin.token', comment: 'as the first administrator' },
  ],
  positionals: { token: optional(oneTimeToken, 'what `drystone device token` printed') },
  flags: { 'token-file': optional(fileOrInput, 'the file that has it, or - for standard input') },
  section: 'client',
  settings: fleetSettings,
  async run({ positionals, flags, settings, environment, input, terminal }) {
    const given = await tokenOf(positionals.token, flags['token-file'], environment[TOKEN_VARIABLE], input);
    const address = await metadataAddress(settings);
    const clocks = { clock: systemClock, random: systemRandom };
    const device = await logIn({ ...given, address, home: settings.home, ...clocks }).catch((thrown: unknown) => {
      throw explainUnreachable(address, thrown);
    });
    const { account, deviceId, certificateExpiresAtMs } = device;
    const document = { account, deviceId, metadata: address, home: settings.home, certificateExpiresAtMs };
    terminal.result(document, () => {
      const until = `its certificate counts until ${formatMoment(certificateExpiresAtMs)} UTC`;
      return `logged in as ${account} at ${address}: device ${deviceId}; ${until}`;
    });
    return undefined;
  },
});

async function tokenOf(
  argument: GivenToken | undefined,
  file: string | undefined,
  variable: string | undefined,
  input: Readable,
): Promise<GivenToken> {
  if (argument !== undefined && file !== undefined) {
    throw invalidArgument('--token-file', 'cannot be given together with the argument TOKEN');
  }
  if (argument !== undefined) return argument;
  if (file !== undefined) return readTokenFile('--token-file', file, input);
  if (variable !== undefined) return parseToken(TOKEN_VARIABLE, variable);
  throw invalidArgument('TOKEN', `must be given, or --token-file, or the variable ${TOKEN_VARIABLE}`);
}
