import { join } from 'node:path';
import { DrystoneError } from '../../common/errors.js';
import { originalOf } from '../../common/feed/copy-name.js';
import type { ItemPath } from '../../common/feed/item.js';
import { isAtOrBelow, parentPath, twinKey } from '../../common/feed/paths.js';
import { createInlineDisk } from '../act/disk/inline-disk.js';
import type { FolderChange, Place } from '../act/disk/disk-task.js';
import { temporaryDirectoryOf } from '../act/folder-places.js';
import type { Observation } from '../observe/observation.js';
import { scanWay } from '../observe/scan-way.js';
import type { Trees } from '../state/tree-store.js';
import { live } from '../plan/difference.js';
import { plainNameFor } from './plain-name.js';
import { isAsSynced } from './same-as-synced.js';

/** What is to stay of a path and its conflicted copy. */
export const keeps = ['mine', 'theirs', 'both'] as const;
/** `mine`: the original; `theirs`: the copy, in the original's place; `both`: both, the copy under a plain name. */
export type Keep = (typeof keeps)[number];

/** A folder, and what its state says of it. */
export interface ResolvableFolder {
  /** Absolute. */
  readonly root: string;
  readonly trees: Pick<Trees, 'remote' | 'local' | 'synced'>;
}

/** A conflict that was resolved in the folder. */
export interface Resolved {
  readonly path: ItemPath;
  readonly copy: ItemPath;
  readonly keep: Keep;
  /** Where the copy is now; undefined where it is gone. */
  readonly keptAs: ItemPath | undefined;
}

/**
 * Resolves the conflict of a path, which may be the original's or a copy's, in the files of the folder: the next sync, or the
 * one that runs, carries that out as any edit. What is removed or replaced is in the namespace: that is looked up byte by
 * byte first. Durable when it resolves. Of a path with several copies each is resolved by itself.
 *
 * Raises NOT_FOUND (CONFLICT_UNKNOWN) where there is no such conflict; FAILED_PRECONDITION (CONFLICT_UNSETTLED) where what
 * would be lost is not in the namespace, or things are not as they were last synced: then nothing was changed from there on.
 */
export async function resolveConflict(
  folder: ResolvableFolder,
  path: ItemPath,
  keep: Keep,
): Promise<readonly Resolved[]> {
  const { original, copies } = copiesAt(folder, path);
  if (keep === 'theirs' && copies.length > 1) {
    const names = copies.map((copy) => `'${copy}'`).join(', ');
    throw unsettled(`${original} has several conflicted copies; say which one is to take its place: ${names}`);
  }
  const resolved: Resolved[] = [];
  for (const copy of copies) resolved.push(await resolveOne(folder, original, copy, keep));
  return resolved;
}

function copiesAt({ trees }: ResolvableFolder, path: ItemPath): { original: ItemPath; copies: readonly ItemPath[] } {
  const has = (candidate: ItemPath): boolean =>
    live(trees.remote.get(candidate)) !== undefined || trees.local.get(candidate) !== undefined;
  const below = (directory: ItemPath | ''): ItemPath[] => {
    return [...new Set([...trees.remote.pathsBelow(directory), ...trees.local.pathsBelow(directory)])].filter(has);
  };
  const original = has(path) ? originalOf(path, { has, below }) : undefined;
  if (original !== undefined) return { original, copies: [path] };
  const above = parentPath(path) ?? '';
  const copies = below('').filter((candidate) => {
    // A copy lies beside its original, or higher up.
    return isAtOrBelow(above, parentPath(candidate) ?? '') && originalOf(candidate, { has, below }) === path;
  });
  if (copies.length > 0) return { original: path, copies };
  const message = `there is no conflict at ${path}; see which there are with 'drystone conflicts'`;
  throw new DrystoneError('NOT_FOUND', 'CONFLICT_UNKNOWN', message);
}

async function resolveOne(folder: ResolvableFolder, path: ItemPath, copy: ItemPath, keep: Keep): Promise<Resolved> {
  const placed = find(folder, copy);
  switch (keep) {
    case 'mine': {
      checkSynced(folder, placed);
      await change(folder, { change: 'remove', ...placed.place, replaces: placed.standing });
      return { path, copy, keep, keptAs: undefined };
    }
    case 'theirs': {
      const original = find(folder, path);
      checkSynced(folder, original);
      const { place, standing } = placed;
      await change(folder, {
        change: 'rename',
        ...place,
        to: original.place,
        replaces: standing,
        over: original.standing,
      });
      return { path, copy, keep, keptAs: path };
    }
    case 'both': {
      const to = freePlace(folder, path);
      await change(folder, { change: 'rename', ...placed.place, to, replaces: placed.standing });
      return { path, copy, keep, keptAs: to.path };
    }
  }
}

interface Found {
  readonly place: Place;
  readonly standing: Observation;
}

function find({ root }: ResolvableFolder, path: ItemPath): Found {
  const way = scanWay(root, path);
  if (way.outcome !== 'seen' || way.standing === undefined) {
    throw unsettled(`${path} is not in the folder; sync it first, or see 'drystone why'`);
  }
  return { place: { path, diskPath: way.diskPath }, standing: way.standing };
}

/** Raises unless what stands there is in the namespace. */
function checkSynced({ root, trees }: ResolvableFolder, { place: { path, diskPath }, standing }: Found): void {
  if (standing.kind === 'directory') {
    throw unsettled(`${path} is a directory, which nothing takes the place of; keep both, or move what is in it`);
  }
  if (isAsSynced(join(root, diskPath), standing, live(trees.synced.get(path)))) return;
  throw unsettled(
    `${path} has been changed and is not in the namespace yet; let it be synced first, so that nothing is lost`,
  );
}

/** A place beside `path`, or, where that has moved away meanwhile, where it was, that nothing is called like. */
function freePlace({ root, trees }: ResolvableFolder, path: ItemPath): Place {
  const way = scanWay(root, path);
  if (way.outcome !== 'seen') throw unsettled(`the directory of ${path} is not in the folder; sync it first`);
  const { directory } = way;
  const taken = new Set<string>();
  for (const { observation } of directory.entries.values()) taken.add(twinKey(observation.path));
  for (const below of trees.remote.pathsBelow(directory.path)) {
    if (live(trees.remote.get(below)) !== undefined) taken.add(twinKey(below));
  }
  const plain = plainNameFor(path, (key) => taken.has(key));
  if (plain === undefined)
    throw unsettled(`no name is left beside ${path} that is short enough; rename the copy yourself`);
  const name = plain.slice(plain.lastIndexOf('/') + 1);
  return { path: plain, diskPath: directory.diskPath === '' ? name : `${directory.diskPath}/${name}` };
}

async function change({ root }: ResolvableFolder, wanted: FolderChange): Promise<void> {
  const disk = createInlineDisk(() => undefined);
  const [outcome] = await disk.changeFolder({
    root,
    temporaryDirectory: temporaryDirectoryOf(root),
    changes: [wanted],
  });
  if (outcome?.outcome === 'done') return;
  const why = outcome === undefined || outcome.outcome === 'changed' ? 'the folder has just changed' : outcome.problem;
  throw unsettled(`${wanted.path} was left as it is: ${why}; try again`);
}

function unsettled(message: string): DrystoneError {
  return new DrystoneError('FAILED_PRECONDITION', 'CONFLICT_UNSETTLED', message);
}
