import { systemClock } from '../../common/clock.js';
import { defineCommand } from '../command.js';
import { listAgents, withAdmin } from '../fleet/admin-client.js';
import { agentDocument, formatAgents } from '../fleet/agent-view.js';
import { clientSettings } from '../settings/sections.js';

export const agentList = defineCommand({
  name: 'list',
  summary: 'list the agents, their state and their space',
  examples: [
    { command: 'drystone agent list', comment: 'all agents as a table' },
    {
      command: `drystone agent list --json | jq '.agents[] | select(.state != "online")'`,
      comment: 'those that are not online',
    },
  ],
  positionals: {},
  flags: {},
  section: 'client',
  settings: clientSettings,
  async run({ settings, terminal, signal }) {
    const agents = await withAdmin(settings.metadata, (admin) => listAgents(admin, signal));
    const documents = agents.map(agentDocument);
    terminal.result({ agents: documents }, () => formatAgents(documents, systemClock.nowMs()));
    return undefined;
  },
});
