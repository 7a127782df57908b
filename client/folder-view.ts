import { join } from 'node:path';
import { readFolderStatus, type FolderStatus } from './folder-status.js';
import { STATE_DIRECTORY } from './observe/ignore-rules.js';
import { openStateView, type StateView } from './state/lmdb-state-view.js';
import { TREES_DIRECTORY } from './state/lmdb-state-facts.js';

/** A synced folder and what its state says, whether a sync runs or not. */
export interface FolderView extends FolderStatus {
  readonly trees: StateView;
}

/**
 * Calls `use` with the synced folder in which `directory` lies, or which it is; with undefined where it is in none. Changes
 * nothing.
 */
export async function withFolderView<T>(
  directory: string,
  use: (folder: FolderView | undefined) => T | Promise<T>,
): Promise<T> {
  const status = await readFolderStatus(directory);
  if (status === undefined) return use(undefined);
  const trees = openStateView(join(status.root, STATE_DIRECTORY, TREES_DIRECTORY));
  try {
    return await use({ ...status, trees });
  } finally {
    await trees.close();
  }
}
