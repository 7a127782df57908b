import { parseAccountName, parseNamespaceName } from '../../common/ids.js';
import { defineCommand } from '../command.js';
import { withFleet } from '../fleet/fleet-connection.js';
import { memberRoles, roleNames } from '../fleet/roles.js';
import { fleetSettings } from '../settings/sections.js';
import { required } from '../settings/setting.js';
import { name, oneOf } from '../settings/values.js';

export const namespaceShare = defineCommand({
  description:
    'A reader fetches what is there, an editor also changes it, an owner also says who the members are. Owners and ' +
    'administrators share.',
  examples: [
    { command: 'drystone namespace share reports ana --role editor', comment: 'ana may change what is there' },
    { command: 'drystone namespace share reports ben --role reader', comment: 'ben may read it' },
  ],
  positionals: {
    name: required(name(parseNamespaceName), 'the namespace'),
    account: required({ ...name(parseAccountName), placeholder: 'ACCOUNT' }, 'with whom it is shared'),
  },
  flags: { role: required(oneOf(roleNames(memberRoles)), 'what the account may do there') },
  section: 'client',
  settings: fleetSettings,
  async run({ positionals, flags, settings, terminal, signal }) {
    const { name: namespaceName, account } = positionals;
    const request = { namespaceName, account, role: memberRoles[flags.role] };
    await withFleet(settings, ({ access }) => access.shareNamespace(request, { signal }));
    const document = { namespace: namespaceName, account, role: flags.role };
    terminal.result(document, () => `${account} is ${flags.role} of ${namespaceName}`);
    return undefined;
  },
});
