import { parseAgentId, parseNamespaceName } from '../../common/ids.js';
import { wireLimits } from '../../common/limits.js';
import { defineCommand } from '../command.js';
import { withFleet } from '../fleet/fleet-connection.js';
import { formatNamespace, namespaceDocument } from '../fleet/namespace-view.js';
import { fleetSettings } from '../settings/sections.js';
import { required } from '../settings/setting.js';
import { id, listOf, name } from '../settings/values.js';

export const namespaceAssign = defineCommand({
  description:
    'The list is whole. Blocks are not moved: what lies only at agents that are left out can no longer be had.',
  examples: [{ command: 'drystone namespace assign reports --agents 6f1b…,90d2…', comment: 'these two, and no other' }],
  positionals: { name: required(name(parseNamespaceName), 'the namespace') },
  flags: { agents: required(listOf(id(parseAgentId), wireLimits.replicas), 'all agents that are to hold it') },
  section: 'client',
  settings: fleetSettings,
  async run({ positionals, flags, settings, terminal, signal }) {
    const request = { namespaceName: positionals.name, agentIds: flags.agents };
    const { namespace } = await withFleet(settings, ({ admin }) => admin.setAssignment(request, { signal }));
    const document = namespaceDocument(namespace);
    terminal.result(document, () => formatNamespace(document));
    return undefined;
  },
});
