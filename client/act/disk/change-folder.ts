import { closeSync, constants, mkdirSync, openSync, renameSync, rmdirSync, symlinkSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { refusalOf } from './disk-refusal.js';
import type { ChangeFolderTask, DiskOutcome, FolderChange, StepHook } from './disk-task.js';
import { setAttributes } from './file-attributes.js';
import { SafeFolder } from './safe-folder.js';
import { syncPaths } from './sync-files.js';

/** See `Disk.changeFolder`. */
export function changeFolder(task: ChangeFolderTask, step: StepHook): DiskOutcome[] {
  /** Files whose attributes and directories whose entries changed. */
  const touched = new Set<string>();
  const outcomes = task.changes.map((change): DiskOutcome => {
    try {
      // What one change has moved away, the next must not take for checked.
      const folder = new SafeFolder(task.root);
      apply(folder, change, task.temporaryDirectory, touched);
      step('folder-changed');
      return { outcome: 'done', entry: folder.standing(change.change === 'rename' ? change.to : change) };
    } catch (thrown) {
      return refusalOf(thrown);
    }
  });
  syncPaths(task.root, [...touched]);
  step('directories-synced');
  return outcomes;
}

function apply(folder: SafeFolder, change: FolderChange, temporaryDirectory: string, touched: Set<string>): void {
  switch (change.change) {
    case 'make-directory': {
      // One that stands there already is as good.
      if (folder.standing(change)?.kind === 'directory') return;
      const absolute = folder.locateExpected(change, undefined);
      mkdirSync(absolute);
      touched.add(dirname(absolute));
      return;
    }
    case 'make-symlink': {
      const absolute = folder.locateExpected(change, change.replaces);
      const temporary = join(temporaryDirectory, change.temporaryName);
      symlinkSync(change.target, temporary);
      renameSync(temporary, absolute);
      touched.add(dirname(absolute));
      return;
    }
    case 'remove': {
      const absolute = folder.locateExpected(change, change.replaces);
      if (change.replaces.kind === 'directory') rmdirSync(absolute);
      else unlinkSync(absolute);
      touched.add(dirname(absolute));
      return;
    }
    case 'rename': {
      const absolute = folder.locateExpected(change, change.replaces);
      const target = folder.locateExpected(change.to, change.over);
      renameSync(absolute, target);
      touched.add(dirname(absolute)).add(dirname(target));
      return;
    }
    case 'set-attributes': {
      const absolute = folder.locateExpected(change, change.replaces);
      const descriptor = openSync(absolute, constants.O_RDONLY | constants.O_NOFOLLOW);
      try {
        setAttributes(descriptor, change);
      } finally {
        closeSync(descriptor);
      }
      touched.add(absolute);
    }
  }
}
