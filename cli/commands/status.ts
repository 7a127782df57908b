import { existsSync } from 'node:fs';
import { systemClock } from '../../common/clock.js';
import { defineCommand } from '../command.js';
import { exitCodes } from '../output/exit-codes.js';
import { readStatus } from '../fleet/fleet-status.js';
import { requireReadable } from '../fleet/readable-directory.js';
import { formatStatus } from '../fleet/status-view.js';
import { fleetSettings } from '../settings/sections.js';
import type { Setting } from '../settings/setting.js';
import { directory } from '../settings/values.js';

export const status = defineCommand({
  description:
    'Agents are shown to administrators, namespaces to their members. Of a folder it tells what its sync has noted down, and ' +
    'looks at no file: what was changed since is not told. Exit code 3 where this device has not logged in, 4 where the ' +
    'metadata service does not answer.',
  examples: [
    { command: 'drystone status', comment: 'the fleet, and this folder where it is a synced one' },
    { command: 'drystone status --dir ~/reports --json', comment: 'for a program' },
  ],
  positionals: {},
  flags: {
    dir: {
      ...directory,
      about: 'a synced folder',
      fallback: { shown: 'the current directory', value: () => process.cwd() },
    } satisfies Setting<string>,
  },
  section: 'client',
  settings: fleetSettings,
  async run({ flags, settings, terminal, signal }) {
    await requireReadable(flags.dir);
    const found = await readStatus(settings, flags.dir, systemClock, signal);
    const asked = flags.dir === process.cwd() ? undefined : { path: flags.dir, exists: existsSync(flags.dir) };
    terminal.result(found, () => formatStatus(found, systemClock.nowMs(), asked));
    if (found.device === undefined) return exitCodes.refused;
    return found.metadata.reachable ? exitCodes.ok : exitCodes.unreachable;
  },
});
