import { parseAccountName } from '../../common/ids.js';
import { defineCommand } from '../command.js';
import { deviceDocument, formatDevices } from '../fleet/account-view.js';
import { withFleet } from '../fleet/fleet-connection.js';
import { listDevices } from '../fleet/listings.js';
import { fleetSettings } from '../settings/sections.js';
import { optional } from '../settings/setting.js';
import { name } from '../settings/values.js';

export const deviceList = defineCommand({
  description: 'Administrators see all of them, everybody else their own: say --account with your account.',
  examples: [
    { command: 'drystone device list', comment: 'the devices of all accounts' },
    { command: 'drystone device list --account ana', comment: 'those of one account' },
  ],
  positionals: {},
  flags: { account: optional(name(parseAccountName), 'only those of this account', 'all') },
  section: 'client',
  settings: fleetSettings,
  async run({ flags, settings, terminal, signal }) {
    const devices = await withFleet(settings, (fleet) => listDevices(fleet, flags.account, signal));
    const documents = devices.map(deviceDocument);
    terminal.result({ devices: documents }, () => formatDevices(documents));
    return undefined;
  },
});
