import { defineCommand } from '../command.js';
import { exitCodes } from '../output/exit-codes.js';
import { optional, withDefault } from '../settings/setting.js';
import { directory, toggle } from '../settings/values.js';

export const demo = defineCommand({
  description:
    'It starts a metadata service, two agents and two clients on free ports, each with an identity of its own, syncs a ' +
    'folder, edits, renames and deletes, and proves after every step that both sides are identical, file by file, and that ' +
    'somebody who is no member gets nothing. Then it ends and removes everything.',
  examples: [
    { command: 'drystone demo', comment: 'with a folder made for it, about 100 MiB' },
    { command: 'drystone demo --source ~/documents', comment: 'with a copy of a folder of yours' },
    { command: 'drystone demo --keep', comment: 'and leave it running, to look around' },
  ],
  positionals: {},
  flags: {
    source: optional(directory, 'copy this folder and sync the copy'),
    keep: withDefault(toggle, 'leave everything running, and say how to look around and how to stop it', false, ''),
  },
  section: 'client',
  settings: {},
  async run({ flags, environment, terminal, signal }) {
    const { runDemo } = await import('../demo/run-demo.js');
    const report = await runDemo({ ...flags, environment, terminal, signal });
    terminal.result(report, () => '');
    return report.succeeded ? exitCodes.ok : exitCodes.failure;
  },
});
