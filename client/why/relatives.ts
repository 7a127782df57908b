import { originalOf } from '../../common/feed/copy-name.js';
import type { ItemPath } from '../../common/feed/item.js';
import { isAtOrBelow, twinKey } from '../../common/feed/paths.js';

/** Other paths that what is looked for may have. */
export interface Relatives {
  /** Paths that differ in case or normalization only. */
  readonly twins: readonly ItemPath[];
  /** Its conflicted copies, also where the path itself is gone. */
  readonly copies: readonly ItemPath[];
}

/** The relatives of a path among the live paths of a namespace. */
export function relativesOf(path: ItemPath, livePaths: readonly ItemPath[]): Relatives {
  const key = twinKey(path);
  const index = {
    has: (candidate: ItemPath): boolean => candidate === path,
    below: (directory: string): ItemPath[] => (isAtOrBelow(path, directory) ? [path] : []),
  };
  return {
    twins: livePaths.filter((candidate) => candidate !== path && twinKey(candidate) === key),
    copies: livePaths.filter((candidate) => originalOf(candidate, index) === path),
  };
}
