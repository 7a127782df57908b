import { resolve } from 'node:path';
import * as v from 'valibot';
import { defineCommand } from '../command.js';
import { conflictDocument, formatConflicts } from '../fleet/conflict-view.js';
import { readDeviceNames } from '../fleet/device-names.js';
import { readConflicts } from '../fleet/read-conflicts.js';
import { clientSettings } from '../settings/sections.js';
import type { Setting } from '../settings/setting.js';

export const conflicts = defineCommand({
  description:
    'Where two people change one file at the same time, the one that was saved last stands, and the other is kept beside it ' +
    'as NAME (conflicted copy, DEVICE, DATE): DEVICE begins the id of the device whose content it is, as device list shows ' +
    'it, DATE is the day of the change, in UTC. A second copy of one device and day has a 2 behind the date, and so on; a ' +
    'name that has no room for all that is shortened, and has eight digits there. A conflict is open for as ' +
    'long as both are there. In a synced folder it lists what the folder knows, also while metadata is away; a namespace is ' +
    'asked for at metadata.',
  examples: [
    { command: 'drystone conflicts', comment: 'those of the synced folder that you are in' },
    { command: 'drystone conflicts reports --json', comment: 'those of a namespace, for a program' },
    {
      command: 'drystone conflicts resolve "notes (conflicted copy, 3f0a9b1c, 2026-03-01).txt" --keep theirs',
      comment: 'end one',
    },
  ],
  positionals: {
    where: {
      schema: v.pipe(v.string(), v.minLength(1)),
      allowed: 'a synced folder, or the name of a namespace',
      placeholder: 'DIR|NAMESPACE',
      about: 'a synced folder, or else a namespace',
      fallback: { shown: 'the current directory', value: () => '.' },
    } satisfies Setting<string>,
  },
  flags: {},
  section: 'client',
  settings: clientSettings,
  async run({ positionals: { where }, settings, terminal, signal }) {
    const found = await readConflicts(where, resolve(where), settings);
    const devices = found.conflicts.length === 0 ? new Map<string, never>() : await readDeviceNames(settings, signal);
    const documents = found.conflicts.map((conflict) => conflictDocument(conflict, devices));
    terminal.result({ folder: found.folder, namespace: found.namespace, conflicts: documents }, () =>
      formatConflicts(documents),
    );
    return undefined;
  },
});
