import { join } from 'node:path';
import type { ItemPath } from '../../common/feed/item.js';
import { diskPathOf } from '../observe/disk-paths.js';
import { STATE_DIRECTORY } from '../observe/ignore-rules.js';
import type { ScanResult } from '../observe/observation.js';
import type { LocalEntry } from '../state/local-entry.js';
import type { Place, Standing } from './disk/disk-task.js';

/** Where downloads are written before they take their place; on the folder's own file system. */
export function temporaryDirectoryOf(root: string): string {
  return join(root, STATE_DIRECTORY, 'tmp');
}

/** Where the items of a folder lie on this disk. */
export class FolderPlaces {
  readonly temporaryDirectory: string;

  /** @param root absolute. */
  constructor(
    readonly root: string,
    private readonly scan: Pick<ScanResult, 'diskPaths'>,
  ) {
    this.temporaryDirectory = temporaryDirectoryOf(root);
  }

  placeOf(path: ItemPath): Place {
    return { path, diskPath: diskPathOf(this.scan, path) };
  }

  absolutePath(path: ItemPath): string {
    return join(this.root, diskPathOf(this.scan, path));
  }
}

/** What is expected to stand where the local tree has `entry`. Blocks are left out: the disk does not read them. */
export function standingOf(entry: LocalEntry): Exclude<Standing, undefined>;
export function standingOf(entry: LocalEntry | undefined): Standing;
export function standingOf(entry: LocalEntry | undefined): Standing {
  if (entry?.kind !== 'file') return entry;
  const { kind, path, stamp, modifiedAtMs, executable } = entry;
  return { kind, path, stamp, modifiedAtMs, executable };
}
