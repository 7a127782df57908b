import { defineCommand } from '../command.js';
import { accountDocument, formatAccounts } from '../fleet/account-view.js';
import { withFleet } from '../fleet/fleet-connection.js';
import { listAccounts } from '../fleet/listings.js';
import { fleetSettings } from '../settings/sections.js';

export const accountList = defineCommand({
  examples: [{ command: 'drystone account list', comment: 'all accounts as a table' }],
  positionals: {},
  flags: {},
  section: 'client',
  settings: fleetSettings,
  async run({ settings, terminal, signal }) {
    const accounts = await withFleet(settings, (fleet) => listAccounts(fleet, signal));
    const documents = accounts.map(accountDocument);
    terminal.result({ accounts: documents }, () => formatAccounts(documents));
    return undefined;
  },
});
