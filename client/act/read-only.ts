import type { ItemPath } from '../../common/feed/item.js';
import { parentPath } from '../../common/feed/paths.js';
import type { Operation } from '../plan/operation.js';

/** What is said of a change that a reader of the namespace has made in the folder. */
export const READ_ONLY = 'your account may only read this namespace: the change stays in this folder';

/** Of which changes a reader is to be told: where a directory is gone, of that, and not of all that was in it. Pure. */
export function changesToTell(operations: readonly Operation[]): readonly ItemPath[] {
  const changes = operations.filter((operation) => operation.kind === 'commit-item');
  const gone = new Set(changes.filter(({ change }) => change.from === 'deletion').map(({ path }) => path));
  const isWithin = (path: ItemPath): boolean => {
    const above = parentPath(path);
    return gone.has(path) && above !== undefined && gone.has(above);
  };
  return changes.map(({ path }) => path).filter((path) => !isWithin(path));
}
