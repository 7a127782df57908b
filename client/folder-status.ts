import { access, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { exclusiveLockHolder } from '../common/files/exclusive-lock.js';
import { durableTexts } from '../common/files/text-keeper.js';
import { KeptAssignment } from './connection/kept-assignment.js';
import { STATE_DIRECTORY } from './observe/ignore-rules.js';
import { readStateFacts, TREES_DIRECTORY, type StateFacts } from './state/lmdb-state-facts.js';

/**
 * A synced folder, as its own state tells without a sync running or a connection open; its mode only while a sync is running.
 */
export interface FolderStatus extends StateFacts {
  readonly root: string;
  /** What its namespace is called, as metadata last said. */
  readonly namespace: string | undefined;
  /** The process that syncs it now, if one does. */
  readonly syncedBy: number | undefined;
}

/** The synced folder in which `directory` lies, or which it is; undefined where it is in none. Changes nothing. */
export async function readFolderStatus(directory: string): Promise<FolderStatus | undefined> {
  const root = await findSyncedFolder(directory);
  if (root === undefined) return undefined;
  const state = join(root, STATE_DIRECTORY);
  const [facts, syncedBy, assignment] = [
    await readStateFacts(join(state, TREES_DIRECTORY)),
    await exclusiveLockHolder(join(state, 'lock')),
    await new KeptAssignment(state, durableTexts).readLast(),
  ];
  return {
    root,
    namespace: assignment?.namespaceName,
    ...facts,
    mode: syncedBy === undefined ? undefined : facts.mode,
    syncedBy,
  };
}

/**
 * The synced folder in which `directory`, which need not be there, lies, or which it is, by the path without symbolic links;
 * undefined where it is in none.
 */
export async function findSyncedFolder(directory: string): Promise<string | undefined> {
  return nearestFrom(await realPathOf(directory));
}

/**
 * The synced folder of which `directory` is a part: undefined where it is in none, and where it is synced by itself already,
 * since such a one is left alone by the folder round it.
 */
export async function findOuterFolder(directory: string): Promise<string | undefined> {
  const path = await realPathOf(directory);
  const nearest = await nearestFrom(path);
  return nearest === path ? undefined : nearest;
}

async function nearestFrom(path: string): Promise<string | undefined> {
  for (let root = path; ; root = dirname(root)) {
    if (await exists(join(root, STATE_DIRECTORY, 'FORMAT'))) return root;
    if (root === dirname(root)) return undefined;
  }
}

/** Without symbolic links, as far as it is there. */
async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (thrown) {
    if (path === dirname(path)) throw thrown;
    return join(await realPathOf(dirname(path)), basename(path));
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
