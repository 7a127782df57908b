import { clientLimits } from '../../common/limits.js';
import type {
  KeepConflict,
  MakeDirectory,
  MakeSymlink,
  Move,
  Operation,
  Remove,
  SetAttributes,
} from '../plan/operation.js';
import type { LocalEntry, LocalFile } from '../state/local-entry.js';
import type { PathChanges } from '../state/state-writer.js';
import type { Disk, DiskOutcome, FolderChange } from './disk/disk-task.js';
import { standingOf, type FolderPlaces } from './folder-places.js';

/** Operations that change the folder and move no content into it. */
export type FolderOperation = MakeDirectory | MakeSymlink | Remove | Move | SetAttributes | KeepConflict;

export function isFolderOperation(operation: Operation): operation is FolderOperation {
  switch (operation.kind) {
    case 'make-directory':
    case 'make-symlink':
    case 'remove':
    case 'move':
    case 'set-attributes':
    case 'keep-conflict':
      return true;
    case 'adopt':
    case 'read-file':
    case 'fetch-file':
    case 'commit-item':
    case 'settle':
      return false;
  }
}

/** Carries out operations one after the other, and tells each one's outcome once it is durable. */
export async function changeFolder(
  operations: readonly FolderOperation[],
  disk: Disk,
  places: FolderPlaces,
  onOutcome: (operation: FolderOperation, outcome: DiskOutcome) => void,
): Promise<void> {
  const { root, temporaryDirectory } = places;
  for (let from = 0; from < operations.length; from += clientLimits.changeTaskChanges) {
    const batch = operations.slice(from, from + clientLimits.changeTaskChanges);
    const changes = batch.map((operation, index) => folderChangeOf(operation, places, `link-${index}`));
    const outcomes = await disk.changeFolder({ root, temporaryDirectory, changes });
    batch.forEach((operation, index) => {
      const outcome = outcomes[index];
      if (outcome !== undefined) onOutcome(operation, outcome);
    });
  }
}

function folderChangeOf(operation: FolderOperation, places: FolderPlaces, temporaryName: string): FolderChange {
  const place = places.placeOf(operation.path);
  switch (operation.kind) {
    case 'make-directory':
      return { change: 'make-directory', ...place };
    case 'make-symlink': {
      const { target } = operation.item.content;
      return { change: 'make-symlink', target, temporaryName, replaces: standingOf(operation.replaces), ...place };
    }
    case 'remove':
      return { change: 'remove', replaces: standingOf(operation.replaces), ...place };
    case 'move':
      return { change: 'rename', to: place, replaces: standingOf(operation.source), ...places.placeOf(operation.from) };
    case 'keep-conflict': {
      const to = places.placeOf(operation.keptAs);
      return { change: 'rename', to, replaces: standingOf(operation.replaces), ...place };
    }
    case 'set-attributes': {
      const { modifiedAtMs, executable } = operation.item.content;
      return { change: 'set-attributes', modifiedAtMs, executable, replaces: standingOf(operation.replaces), ...place };
    }
  }
}

/** What the trees say once an operation is done; `entry` is what stands at its place now. */
export function changesOf(operation: FolderOperation, entry: LocalEntry | undefined): PathChanges {
  const { path } = operation;
  switch (operation.kind) {
    case 'make-directory':
    case 'make-symlink':
      return { local: [[path, entry]], synced: operation.item === undefined ? [] : [[path, operation.item]] };
    case 'remove':
      return { local: [[path, undefined]], synced: [[path, undefined]] };
    case 'set-attributes': {
      const { replaces, item } = operation;
      const file = entry?.kind === 'file' ? { ...entry, blocks: replaces.blocks } : entry;
      return { local: [[path, file]], synced: [[path, item]] };
    }
    case 'move': {
      const { from, source, item } = operation;
      const file = entry?.kind === 'file' ? { ...entry, blocks: source.blocks } : entry;
      const local = [[from, undefined] as const, [path, file] as const];
      return {
        local,
        synced: [
          [from, undefined],
          [path, file?.kind === 'file' ? asMoved(item, file) : item],
        ],
      };
    }
    case 'keep-conflict':
      // What is at and below the two paths, a look at the folder tells.
      return {};
  }
}

/**
 * What both sides agree on once a file was given its new name: the item, but for attributes that are not the file's yet. The
 * next plan sees that they differ and sets them; and where somebody replaces the item before, the file is known to be no
 * change of this folder.
 */
function asMoved(item: Move['item'], { modifiedAtMs, executable }: LocalFile): Move['item'] {
  return { ...item, content: { ...item.content, modifiedAtMs, executable } };
}
