import { parseAccountName, parseNamespaceName } from '../../common/ids.js';
import { defineCommand } from '../command.js';
import { withFleet } from '../fleet/fleet-connection.js';
import { fleetSettings } from '../settings/sections.js';
import { required } from '../settings/setting.js';
import { name } from '../settings/values.js';

export const namespaceUnshare = defineCommand({
  description:
    'At once at metadata, and at agents within a quarter of an hour. Copies that its devices have made stay theirs.',
  examples: [{ command: 'drystone namespace unshare reports ana', comment: 'ana receives nothing any more' }],
  positionals: {
    name: required(name(parseNamespaceName), 'the namespace'),
    account: required({ ...name(parseAccountName), placeholder: 'ACCOUNT' }, 'whose membership ends'),
  },
  flags: {},
  section: 'client',
  settings: fleetSettings,
  async run({ positionals, settings, terminal, signal }) {
    const { name: namespaceName, account } = positionals;
    await withFleet(settings, ({ access }) => access.unshareNamespace({ namespaceName, account }, { signal }));
    terminal.result({ namespace: namespaceName, account }, () => `${account} is no member of ${namespaceName}`);
    return undefined;
  },
});
