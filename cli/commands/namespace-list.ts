import { defineCommand } from '../command.js';
import { listNamespaces, withAdmin } from '../fleet/admin-client.js';
import { formatNamespaces, namespaceDocument } from '../fleet/namespace-view.js';
import { clientSettings } from '../settings/sections.js';

export const namespaceList = defineCommand({
  name: 'list',
  summary: 'list the namespaces',
  examples: [
    { command: 'drystone namespace list', comment: 'all namespaces as a table' },
    { command: "drystone namespace list --json | jq -r '.namespaces[].name'", comment: 'their names' },
  ],
  positionals: {},
  flags: {},
  section: 'client',
  settings: clientSettings,
  async run({ settings, terminal, signal }) {
    const namespaces = await withAdmin(settings.metadata, (admin) => listNamespaces(admin, signal));
    const documents = namespaces.map(namespaceDocument);
    terminal.result({ namespaces: documents }, () => formatNamespaces(documents));
    return undefined;
  },
});
