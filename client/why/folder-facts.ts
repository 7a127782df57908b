import { accessSync, constants, existsSync, lstatSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ItemPath } from '../../common/feed/item.js';
import { twinKey } from '../../common/feed/paths.js';
import type { NamespaceId } from '../../common/ids.js';
import { withFolderView, type FolderView } from '../folder-view.js';
import { scanWay, type Way } from '../observe/scan-way.js';
import { live } from '../plan/difference.js';
import type { Denied, FolderFacts } from './facts.js';

/** What a folder says of a path, and the live paths of the namespace that it has heard of. */
export interface FolderAnswer {
  readonly facts: FolderFacts;
  /** Undefined where the folder is none that is synced with the namespace. */
  readonly livePaths: readonly ItemPath[] | undefined;
}

/**
 * What the synced folder at, or above, `directory` says of a path. `namespaceId` is undefined where it is not known: then the
 * folder is taken for one of the namespace. Changes nothing.
 */
export function readFolderFacts(
  directory: string,
  path: ItemPath,
  namespaceId: NamespaceId | undefined,
): Promise<FolderAnswer> {
  return withFolderView(directory, (folder) => {
    if (folder === undefined) return { facts: { state: 'none', directory }, livePaths: undefined };
    const { root } = folder;
    if (folder.namespaceId === undefined) return { facts: { state: 'never synced', root }, livePaths: undefined };
    if (namespaceId !== undefined && folder.namespaceId !== namespaceId) {
      return { facts: { state: 'of another namespace', root }, livePaths: undefined };
    }
    const { remote } = folder.trees;
    const livePaths = [...remote.pathsBelow('')].filter((known) => live(remote.get(known)) !== undefined);
    return { facts: syncedFacts(folder, path), livePaths };
  });
}

function syncedFacts({ root, syncedBy, cursor, trees }: FolderView, path: ItemPath): FolderFacts {
  const local = trees.local.get(path);
  const [remote, synced] = [trees.remote.get(path), trees.synced.get(path)];
  const [offered, provisional] = [trees.offered.get(path), trees.provisional.get(path)];
  const expected = local?.kind ?? live(remote)?.content.kind ?? live(synced)?.content.kind;
  const way = scanWay(root, path, expected);
  const disk = statfsSync(root);
  return {
    state: 'synced',
    root,
    syncedBy,
    cursor,
    ...{ remote, local, synced, offered, provisional, way },
    ...sightOf(root, path, way),
    denied: deniedAt(root, path, way),
    problems: way.outcome === 'seen' ? way.directory.problems : [],
    freeBytes: disk.bavail * disk.bsize,
  };
}

/** What the file system says to a name that it does not list. */
function sightOf(
  root: string,
  path: ItemPath,
  way: Way,
): { nameProblem: string | undefined; diskTwin: string | undefined } {
  const nothing = { nameProblem: undefined, diskTwin: undefined };
  if (way.outcome === 'seen' && way.standing !== undefined) return nothing;
  try {
    const stats = lstatSync(join(root, path), { throwIfNoEntry: false });
    if (stats === undefined || way.outcome !== 'seen') return nothing;
    const entries = [...way.directory.entries.values()];
    const twin = entries.find(({ observation }) => twinKey(observation.path) === twinKey(path));
    return { ...nothing, diskTwin: twin?.observation.path };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const isOfTheName = code === 'ENAMETOOLONG' || code === 'EILSEQ' || code === 'EINVAL';
    return { ...nothing, nameProblem: isOfTheName ? message : undefined };
  }
}

function deniedAt(root: string, path: ItemPath, way: Way): Denied {
  const standing = way.outcome === 'seen' ? way.standing : undefined;
  let directory = dirname(join(root, path));
  while (directory !== root && !existsSync(directory)) directory = dirname(directory);
  return {
    reading: standing?.kind === 'file' ? refusalOf(join(root, path), constants.R_OK) : undefined,
    writing: refusalOf(directory, constants.W_OK | constants.X_OK),
  };
}

function refusalOf(path: string, mode: number): string | undefined {
  try {
    accessSync(path, mode);
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'EACCES' || code === 'EPERM' || code === 'EROFS' ? message : undefined;
  }
}
