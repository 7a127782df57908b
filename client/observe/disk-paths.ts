import { parentPath } from '../../common/feed/paths.js';
import type { ItemPath } from '../../common/feed/item.js';
import type { ScanResult } from './observation.js';

/**
 * Where the item lies on this disk, relative to the root: its own name as the scan found it, or, for an item that is not
 * there yet, its path below the nearest directory that is. A directory that the disk spells otherwise is thus written
 * into, not made a second time beside it.
 */
export function diskPathOf(scan: Pick<ScanResult, 'diskPaths'>, path: ItemPath): string {
  for (let above: ItemPath | undefined = path; above !== undefined; above = parentPath(above)) {
    const found = scan.diskPaths.get(above);
    if (found !== undefined) return found + path.slice(above.length);
  }
  return path;
}
