import { DrystoneError } from '../../common/errors.js';
import type { FeedEntry } from '../../common/feed/item.js';
import { defineCommand } from '../command.js';
import { explainUnreachable } from '../fleet/fleet-connection.js';
import { formatItems, itemDocument, selectListed } from '../fleet/item-view.js';
import { metadataAddress } from '../fleet/login-record.js';
import { createProgramContext } from '../program-context.js';
import { clientSettings } from '../settings/sections.js';
import { required, withDefault } from '../settings/setting.js';
import { location, toggle } from '../settings/values.js';

export const ls = defineCommand({
  examples: [
    { command: 'drystone ls reports', comment: 'what lies at the top' },
    { command: 'drystone ls reports/2026 --recursive', comment: 'everything below a folder' },
  ],
  positionals: { location: required({ ...location, placeholder: 'NAMESPACE[/PATH]' }, 'what to list') },
  flags: { recursive: withDefault(toggle, 'list everything below, not only what lies directly in it', false, '') },
  section: 'client',
  settings: clientSettings,
  async run({ positionals, flags, settings, logLevel, terminal, signal }) {
    const { namespace, path } = positionals.location;
    const { listItems } = await import('../../client/reader.js');
    const metadata = await metadataAddress(settings);
    const config = { premises: settings.premises, metadata, namespace, homeDir: settings.home };
    const entries: FeedEntry[] = [];
    try {
      for await (const entry of listItems(config, createProgramContext('ls', logLevel ?? 'silent'), path)) {
        signal.throwIfAborted();
        entries.push(entry);
      }
    } catch (thrown) {
      throw explainUnreachable(metadata, thrown);
    }
    const items = selectListed(entries, path, flags.recursive)?.map(itemDocument);
    if (items === undefined) {
      const message = `there is nothing at ${path} in ${namespace}; see what is there with 'drystone ls ${namespace}'`;
      throw new DrystoneError('NOT_FOUND', 'ITEM_UNKNOWN', message);
    }
    terminal.result({ namespace, path, items }, () => formatItems(items));
    return undefined;
  },
});
