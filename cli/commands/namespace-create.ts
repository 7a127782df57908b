import { parseNamespaceName } from '../../common/ids.js';
import { wireLimits } from '../../common/limits.js';
import { defineCommand } from '../command.js';
import { withFleet } from '../fleet/fleet-connection.js';
import { formatNamespace, namespaceDocument } from '../fleet/namespace-view.js';
import { fleetSettings } from '../settings/sections.js';
import { required, withDefault } from '../settings/setting.js';
import { name, wholeNumber } from '../settings/values.js';

export const namespaceCreate = defineCommand({
  description:
    'The agents are chosen among those online: at different premises where possible, most free space first. Your account ' +
    'becomes its owner. Each upload goes to one of the agents, and is not copied to the others yet: several are no second ' +
    'copy of a block.',
  examples: [
    { command: 'drystone namespace create reports', comment: 'assigned to one agent' },
    {
      command: 'drystone namespace create reports --replicas 2',
      comment: 'assigned to two, at two premises if there are',
    },
  ],
  positionals: { name: required(name(parseNamespaceName), 'how people call it') },
  flags: {
    replicas: withDefault(
      wholeNumber(1, wireLimits.replicas),
      'how many agents are assigned to it: each upload goes to one of them',
      1,
    ),
  },
  section: 'client',
  settings: fleetSettings,
  async run({ positionals, flags, settings, terminal, signal }) {
    const request = { name: positionals.name, replicas: flags.replicas };
    const { namespace } = await withFleet(settings, ({ admin }) => admin.createNamespace(request, { signal }));
    const document = namespaceDocument(namespace);
    terminal.result(document, () => formatNamespace(document));
    return undefined;
  },
});
