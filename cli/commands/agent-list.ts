import { systemClock } from '../../common/clock.js';
import { defineCommand } from '../command.js';
import { agentDocument, formatAgents } from '../fleet/agent-view.js';
import { withFleet } from '../fleet/fleet-connection.js';
import { listAgents } from '../fleet/listings.js';
import { fleetSettings } from '../settings/sections.js';

export const agentList = defineCommand({
  examples: [
    { command: 'drystone agent list', comment: 'all agents as a table' },
    {
      command: `drystone agent list --json | jq '.agents[] | select(.state != "online" or .full)'`,
      comment: 'those that take no blocks: not online, or full',
    },
  ],
  positionals: {},
  flags: {},
  section: 'client',
  settings: fleetSettings,
  async run({ settings, terminal, signal }) {
    const agents = await withFleet(settings, (fleet) => listAgents(fleet, signal));
    const documents = agents.map(agentDocument);
    terminal.result({ agents: documents }, () => formatAgents(documents, systemClock.nowMs()));
    return undefined;
  },
});
