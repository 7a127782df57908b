import type { ItemPath } from '../../common/feed/item.js';
import { splitName } from '../../common/feed/conflict-name.js';
import { baseName, parentPath, pathProblem, twinKey } from '../../common/feed/paths.js';

/**
 * A name for what was a conflicted copy of `path` and is to be a file of its own: `name (2).ext`, with the first number from
 * 2 on that `isTaken` does not know, in any case or normalization. Undefined where the path leaves no room for one.
 */
export function plainNameFor(path: ItemPath, isTaken: (twinKey: string) => boolean): ItemPath | undefined {
  const [stem, extension] = splitName(baseName(path));
  const above = parentPath(path);
  const directory = above === undefined ? '' : `${above}/`;
  for (let number = 2; ; number++) {
    const plain = `${directory}${stem} (${number})${extension}`;
    if (pathProblem(plain) !== undefined) return undefined;
    if (!isTaken(twinKey(plain as ItemPath))) return plain as ItemPath;
  }
}
