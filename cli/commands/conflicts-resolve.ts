import { dirname, relative } from 'node:path';
import { defineCommand } from '../command.js';
import { withFolderView } from '../../client/folder-view.js';
import { keeps, resolveConflict } from '../../client/conflicts/resolve-conflict.js';
import { DrystoneError } from '../../common/errors.js';
import { parseItemPath } from '../../common/feed/paths.js';
import { formatResolved } from '../fleet/conflict-view.js';
import { clientSettings } from '../settings/sections.js';
import { required } from '../settings/setting.js';
import { file, oneOf } from '../settings/values.js';

export const conflictsResolve = defineCommand({
  description:
    'PATH is the file, or its conflicted copy. With --keep mine the file stays and the copy goes, with theirs the copy takes ' +
    "the file's place, and with both the copy stays as a file of its own, NAME (2). It changes the files of the folder and " +
    'nothing else: a running sync carries that to the others, or the next one does. Nothing is removed or replaced that the ' +
    'namespace does not have.',
  examples: [
    { command: 'drystone conflicts resolve notes.txt --keep mine', comment: 'the copy was of no use' },
    {
      command: 'drystone conflicts resolve "notes (conflicted copy, 3f0a9b1c, 2026-03-01).txt" --keep both',
      comment: 'both are of use',
    },
  ],
  positionals: { path: required({ ...file, placeholder: 'PATH' }, 'the file, or its conflicted copy') },
  flags: { keep: required(oneOf(keeps), 'what is to stay') },
  section: 'client',
  settings: clientSettings,
  async run({ positionals: { path: absolute }, flags: { keep }, terminal }) {
    const resolved = await withFolderView(dirname(absolute), (folder) => {
      if (folder === undefined) {
        const message = `${absolute} is in no synced folder; conflicts are resolved where the files are`;
        throw new DrystoneError('NOT_FOUND', 'CONFLICT_UNKNOWN', message);
      }
      const path = parseItemPath('PATH', relative(folder.root, absolute).normalize('NFC'));
      return resolveConflict(folder, path, keep);
    });
    terminal.result({ resolved }, () => formatResolved(resolved));
    return undefined;
  },
});
