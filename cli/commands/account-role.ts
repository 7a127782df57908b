import { parseAccountName } from '../../common/ids.js';
import { defineCommand } from '../command.js';
import { accountDocument } from '../fleet/account-view.js';
import { withFleet } from '../fleet/fleet-connection.js';
import { accountRoles, roleNames } from '../fleet/roles.js';
import { fleetSettings } from '../settings/sections.js';
import { required } from '../settings/setting.js';
import { name, oneOf } from '../settings/values.js';

export const accountRole = defineCommand({
  examples: [
    { command: 'drystone account role ben administrator', comment: 'he may from now on' },
    { command: 'drystone account role ben member', comment: 'he may not any more' },
  ],
  positionals: {
    name: required(name(parseAccountName), 'the account'),
    role: required({ ...oneOf(roleNames(accountRoles)), placeholder: 'ROLE' }, 'member, or administrator'),
  },
  flags: {},
  section: 'client',
  settings: fleetSettings,
  async run({ positionals, settings, terminal, signal }) {
    const request = { name: positionals.name, role: accountRoles[positionals.role] };
    const { account } = await withFleet(settings, ({ access }) => access.setAccountRole(request, { signal }));
    const document = accountDocument(account);
    terminal.result(document, () => `account ${document.name} is ${document.role}`);
    return undefined;
  },
});
