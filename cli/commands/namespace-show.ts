import { parseNamespaceName } from '../../common/ids.js';
import { defineCommand } from '../command.js';
import { withAdmin } from '../fleet/admin-client.js';
import { formatNamespace, namespaceDocument } from '../fleet/namespace-view.js';
import { clientSettings } from '../settings/sections.js';
import { required } from '../settings/setting.js';
import { name } from '../settings/values.js';

export const namespaceShow = defineCommand({
  name: 'show',
  summary: 'show one namespace and the agents that hold it',
  examples: [{ command: 'drystone namespace show reports', comment: 'its size, its cursor, its agents' }],
  positionals: { name: required(name(parseNamespaceName), 'how people call it') },
  flags: {},
  section: 'client',
  settings: clientSettings,
  async run({ positionals, settings, terminal, signal }) {
    const request = { name: positionals.name };
    const { namespace } = await withAdmin(settings.metadata, (admin) => admin.getNamespace(request, { signal }));
    const document = namespaceDocument(namespace);
    terminal.result(document, () => formatNamespace(document));
    return undefined;
  },
});
