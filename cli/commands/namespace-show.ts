import { parseNamespaceName } from '../../common/ids.js';
import { defineCommand } from '../command.js';
import { withFleet } from '../fleet/fleet-connection.js';
import { listMembers } from '../fleet/listings.js';
import { formatMembers, memberDocument } from '../fleet/member-view.js';
import { formatNamespace, namespaceDocument } from '../fleet/namespace-view.js';
import { fleetSettings } from '../settings/sections.js';
import { required } from '../settings/setting.js';
import { name } from '../settings/values.js';

export const namespaceShow = defineCommand({
  examples: [{ command: 'drystone namespace show reports', comment: 'its size, its cursor, its agents, its members' }],
  positionals: { name: required(name(parseNamespaceName), 'how people call it') },
  flags: {},
  section: 'client',
  settings: fleetSettings,
  async run({ positionals, settings, terminal, signal }) {
    const document = await withFleet(settings, async (fleet) => {
      const { namespace } = await fleet.admin.getNamespace({ name: positionals.name }, { signal });
      const members = await listMembers(fleet, positionals.name, signal);
      return { ...namespaceDocument(namespace), members: members.map(memberDocument) };
    });
    terminal.result(document, () => `${formatNamespace(document)}\n\n${formatMembers(document.members)}`);
    return undefined;
  },
});
