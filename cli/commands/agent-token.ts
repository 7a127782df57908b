import { parsePremisesName } from '../../common/ids.js';
import { defineCommand } from '../command.js';
import { withFleet } from '../fleet/fleet-connection.js';
import { handOut } from '../fleet/issued-token.js';
import { fleetSettings } from '../settings/sections.js';
import { required } from '../settings/setting.js';
import { name } from '../settings/values.js';
import { validity } from '../settings/validity.js';

export const agentToken = defineCommand({
  description: 'It says for which premises, and by which certificate the agent knows the metadata service.',
  examples: [
    {
      command: '(umask 077; drystone agent token --premises lisbon > lisbon.token)',
      comment: 'into a file that is yours alone, to be taken there',
    },
    {
      command: 'drystone agent token --premises lisbon | drystone agent serve --data ./lisbon --join-file -',
      comment: 'for an agent on this machine',
    },
  ],
  positionals: {},
  flags: { premises: required(name(parsePremisesName), 'the site where the agent will stand'), valid: validity },
  section: 'client',
  settings: fleetSettings,
  async run({ flags, settings, terminal, signal }) {
    const { premises } = flags;
    const request = { premises, validSeconds: flags.valid / 1000 };
    const issued = await withFleet(settings, ({ access }) => access.issueAgentToken(request, { signal }));
    handOut(terminal, { token: issued.token, expiresAtMs: Number(issued.expiresAtMs) }, `an agent at ${premises}`);
    return undefined;
  },
});
