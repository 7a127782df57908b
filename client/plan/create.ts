import type { FileContent, SymlinkContent } from '../../common/feed/item.js';
import type { LocalEntry } from '../state/local-entry.js';
import type { LiveItem } from './difference.js';
import type { ItemOf, Operation } from './operation.js';

/** How an item comes into the folder, over `replaces` where that stands there. */
export function create(item: LiveItem, replaces: LocalEntry | undefined): Operation {
  const { path } = item;
  if (isFile(item)) return { kind: 'fetch-file', path, item, replaces };
  if (isSymlink(item)) return { kind: 'make-symlink', path, item, replaces };
  return { kind: 'make-directory', path, item };
}

/** Whether an item is a file. */
export function isFile(item: LiveItem): item is LiveItem & ItemOf<FileContent> {
  return item.content.kind === 'file';
}

function isSymlink(item: LiveItem): item is LiveItem & ItemOf<SymlinkContent> {
  return item.content.kind === 'symlink';
}
