import { parseAgentId } from '../../common/ids.js';
import { defineCommand } from '../command.js';
import { withFleet } from '../fleet/fleet-connection.js';
import { fleetSettings } from '../settings/sections.js';
import { required } from '../settings/setting.js';
import { id } from '../settings/values.js';

export const agentRevoke = defineCommand({
  description:
    'What it holds no longer counts: it leaves every assignment, and its blocks are missing where no other agent has them. ' +
    'The same key never joins again.',
  examples: [{ command: 'drystone agent revoke 6f1b…', comment: 'an agent whose disk was stolen' }],
  positionals: { id: required(id(parseAgentId), 'as `drystone agent list` shows it') },
  flags: {},
  section: 'client',
  settings: fleetSettings,
  async run({ positionals, settings, terminal, signal }) {
    const agentId = positionals.id;
    await withFleet(settings, ({ access }) => access.revokeAgent({ agentId }, { signal }));
    terminal.result({ agentId }, () => `agent ${agentId} is revoked`);
    return undefined;
  },
});
