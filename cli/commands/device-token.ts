import { parseAccountName } from '../../common/ids.js';
import { defineCommand } from '../command.js';
import { withFleet } from '../fleet/fleet-connection.js';
import { handOut } from '../fleet/issued-token.js';
import { fleetSettings } from '../settings/sections.js';
import { optional } from '../settings/setting.js';
import { name } from '../settings/values.js';
import { validity } from '../settings/validity.js';

export const deviceToken = defineCommand({
  description: 'Administrators issue them for every account, everybody for their own.',
  examples: [
    {
      command: '(umask 077; drystone device token --account ana > ana.token)',
      comment: 'into a file that is yours alone, to be given to ana',
    },
    { command: 'drystone device token', comment: 'for another machine of your own' },
  ],
  positionals: {},
  flags: { account: optional(name(parseAccountName), 'whose device it will be', 'your own'), valid: validity },
  section: 'client',
  settings: fleetSettings,
  async run({ flags, settings, terminal, signal }) {
    await withFleet(settings, async ({ access, device }) => {
      const account = flags.account ?? device.account;
      const issued = await access.issueDeviceToken({ account, validSeconds: flags.valid / 1000 }, { signal });
      handOut(terminal, { token: issued.token, expiresAtMs: Number(issued.expiresAtMs) }, `a device of ${account}`);
    });
    return undefined;
  },
});
