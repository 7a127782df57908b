import { diagnose } from '../../client/why/diagnose.js';
import { readFacts } from '../../client/why/read-facts.js';
import { invalidArgument } from '../../common/errors.js';
import { defineCommand } from '../command.js';
import { readDeviceNames } from '../fleet/device-names.js';
import { findingDocument, formatFinding } from '../fleet/finding-view.js';
import { metadataAddress } from '../fleet/login-record.js';
import { requireReadable } from '../fleet/readable-directory.js';
import { createProgramContext } from '../program-context.js';
import { clientSettings } from '../settings/sections.js';
import { required, type Setting } from '../settings/setting.js';
import { directory, location } from '../settings/values.js';

export const why = defineCommand({
  description:
    'It asks metadata for the item, its history and who holds its blocks, looks at the folder, its ignore rules and what its ' +
    'sync knows, and names the first thing that is in the way, with what to do about it. It changes nothing. With --json it ' +
    'also prints what it concluded that from.',
  examples: [
    { command: 'drystone why reports/2026/march.ods', comment: 'in the synced folder that you are in' },
    { command: 'drystone why reports/2026/march.ods --dir ~/reports --json', comment: 'for a program, with all facts' },
  ],
  positionals: { location: required(location, 'what you look for') },
  flags: {
    dir: {
      ...directory,
      about: 'the synced folder where you look for it',
      fallback: { shown: 'the current directory', value: () => process.cwd() },
    } satisfies Setting<string>,
  },
  section: 'client',
  settings: clientSettings,
  async run({ positionals, flags, settings, logLevel, terminal, signal }) {
    const { namespace, path } = positionals.location;
    if (path === '') throw invalidArgument('NAMESPACE/PATH', `must name a file, such as ${namespace}/notes.txt`);
    const nameOf = async (device: string): Promise<string> => {
      const owner = (await readDeviceNames(settings, signal)).get(device);
      return owner === undefined ? `device ${device}` : `${owner.account} (${owner.displayName})`;
    };
    const metadata = await metadataAddress(settings);
    const question = { namespace, path, metadata, premises: settings.premises, homeDir: settings.home, nameOf };
    const context = createProgramContext('why', logLevel ?? 'silent');
    await requireReadable(flags.dir);
    const facts = await readFacts({ ...question, directory: flags.dir }, context);
    const finding = diagnose(facts);
    terminal.result(findingDocument(finding, facts), () => formatFinding(finding));
    return undefined;
  },
});
