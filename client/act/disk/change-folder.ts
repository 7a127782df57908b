import { closeSync, constants, mkdirSync, openSync, renameSync, rmdirSync, symlinkSync, unlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { refusalOf } from './disk-refusal.js';
import type { ChangeFolderTask, DiskOutcome, FolderChange, StepHook } from './disk-task.js';
import { setAttributes } from './file-attributes.js';
import { SafeFolder } from './safe-folder.js';
import { syncPaths } from './sync-files.js';

/** See `Disk.changeFolder`. */
export function changeFolder(task: ChangeFolderTask, step: StepHook): DiskOutcome[] {
  /** Files whose attributes and directories whose entries changed. */
  const touched = new Set<string>();
  const folder = new SafeFolder(task.root);
  const outcomes = task.changes.map((change): DiskOutcome => {
    try {
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
  folder.at(change, (spot) => {
    switch (change.change) {
      case 'make-directory': {
        // One that stands there already is as good.
        if (spot.standing()?.kind === 'directory') return;
        spot.expect(undefined);
        mkdirSync(spot.path);
        break;
      }
      case 'make-symlink': {
        spot.expect(change.replaces);
        const temporary = join(temporaryDirectory, change.temporaryName);
        symlinkSync(change.target, temporary);
        renameSync(temporary, spot.path);
        break;
      }
      case 'remove': {
        spot.expect(change.replaces);
        if (change.replaces.kind === 'directory') rmdirSync(spot.path);
        else unlinkSync(spot.path);
        break;
      }
      case 'rename': {
        spot.expect(change.replaces);
        folder.at(change.to, (target) => {
          target.expect(change.over);
          renameSync(spot.path, target.path);
          touched.add(target.directory);
        });
        break;
      }
      case 'set-attributes': {
        spot.expect(change.replaces);
        const descriptor = openSync(spot.path, constants.O_RDONLY | constants.O_NOFOLLOW);
        try {
          setAttributes(descriptor, change);
        } finally {
          closeSync(descriptor);
        }
        touched.add(join(spot.directory, basename(change.diskPath)));
        return;
      }
    }
    touched.add(spot.directory);
  });
}
