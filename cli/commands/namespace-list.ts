import { defineCommand } from '../command.js';
import { withFleet } from '../fleet/fleet-connection.js';
import { listNamespaces } from '../fleet/listings.js';
import { formatNamespaces, namespaceDocument } from '../fleet/namespace-view.js';
import { fleetSettings } from '../settings/sections.js';

export const namespaceList = defineCommand({
  description: 'Administrators see all of them, everybody else those of which they are a member.',
  examples: [
    { command: 'drystone namespace list', comment: 'as a table' },
    { command: "drystone namespace list --json | jq -r '.namespaces[].name'", comment: 'their names' },
  ],
  positionals: {},
  flags: {},
  section: 'client',
  settings: fleetSettings,
  async run({ settings, terminal, signal }) {
    const namespaces = await withFleet(settings, (fleet) => listNamespaces(fleet, signal));
    const documents = namespaces.map(namespaceDocument);
    terminal.result({ namespaces: documents }, () => formatNamespaces(documents));
    return undefined;
  },
});
