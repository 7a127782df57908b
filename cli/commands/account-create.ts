import { parseAccountName } from '../../common/ids.js';
import { defineCommand } from '../command.js';
import { accountDocument } from '../fleet/account-view.js';
import { withFleet } from '../fleet/fleet-connection.js';
import { accountRoles } from '../fleet/roles.js';
import { fleetSettings } from '../settings/sections.js';
import { required, withDefault } from '../settings/setting.js';
import { name, toggle } from '../settings/values.js';

export const accountCreate = defineCommand({
  description: 'Its devices log in with tokens from `drystone device token --account NAME`.',
  examples: [
    { command: 'drystone account create ana', comment: 'who uses what is shared with her' },
    { command: 'drystone account create ben --administrator', comment: 'who runs the fleet as well' },
  ],
  positionals: { name: required(name(parseAccountName), 'how it is called') },
  flags: { administrator: withDefault(toggle, 'it may run the fleet', false, '') },
  section: 'client',
  settings: fleetSettings,
  async run({ positionals, flags, settings, terminal, signal }) {
    const role = flags.administrator ? accountRoles.administrator : accountRoles.member;
    const request = { name: positionals.name, role };
    const { account } = await withFleet(settings, ({ access }) => access.createAccount(request, { signal }));
    const document = accountDocument(account);
    terminal.result(document, () => {
      return `account ${document.name}: its devices log in with 'drystone device token --account ${document.name}'`;
    });
    return undefined;
  },
});
