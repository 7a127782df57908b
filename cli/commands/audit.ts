import { parseAccountName, parseNamespaceName } from '../../common/ids.js';
import { wireLimits } from '../../common/limits.js';
import { defineCommand } from '../command.js';
import { auditDocument, formatAudit } from '../fleet/audit-view.js';
import { withFleet } from '../fleet/fleet-connection.js';
import { readAudit } from '../fleet/read-audit.js';
import { fleetSettings } from '../settings/sections.js';
import { optional, withDefault } from '../settings/setting.js';
import { name, wholeNumber } from '../settings/values.js';

export const audit = defineCommand({
  description: 'The oldest first. Administrators see all of it, owners what was done in their namespace.',
  examples: [
    { command: 'drystone audit --namespace reports', comment: 'who was let in, and by whom' },
    { command: 'drystone audit --account ana --json', comment: 'what ana did, and what was done to her account' },
    { command: 'drystone audit --after 1000', comment: 'go on where an earlier page ended' },
  ],
  positionals: {},
  flags: {
    namespace: optional(name(parseNamespaceName), 'only what was done in this namespace', 'all'),
    account: optional(name(parseAccountName), 'only what this account did, or was done to it', 'all'),
    after: withDefault(wholeNumber(0, Number.MAX_SAFE_INTEGER), 'only entries after this one', 0),
    limit: withDefault(wholeNumber(1, wireLimits.rowsPerPage * 100), 'how many entries at the most', 1000),
  },
  section: 'client',
  settings: fleetSettings,
  async run({ flags, settings, terminal, signal }) {
    const found = await withFleet(settings, (fleet) => readAudit(fleet, flags, signal));
    const { nextSequence, caughtUp } = found;
    const entries = found.entries.map(auditDocument);
    terminal.result({ entries, nextSequence, caughtUp }, () => formatAudit(entries));
    if (!caughtUp) terminal.note(`there is more: --after ${nextSequence}`);
    return undefined;
  },
});
