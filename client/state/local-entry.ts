import type { Blocklist, FileContent, ItemContent } from '../../common/feed/item.js';
import type { ObservedDirectory, ObservedFile, ObservedSymlink } from '../observe/observation.js';

/** A file as it was last seen, with its blocks where they have been read since it last changed. */
export interface LocalFile extends ObservedFile {
  readonly blocks: Blocklist | undefined;
}

/** One entry of the folder as it was last seen. */
export type LocalEntry = LocalFile | ObservedDirectory | ObservedSymlink;

/** What the folder holds at a path, as an item would say it; undefined for a file whose blocks are not known. */
export function contentOfLocal(entry: LocalEntry): Exclude<ItemContent, { kind: 'deletion' }> | undefined {
  switch (entry.kind) {
    case 'directory':
      return { kind: 'directory' };
    case 'symlink':
      return { kind: 'symlink', target: entry.target };
    case 'file':
      return entry.blocks === undefined ? undefined : contentOfFile(entry, entry.blocks);
  }
}

/** The content of a file that was read as `blocks`. */
export function contentOfFile(file: ObservedFile, blocks: Blocklist): FileContent {
  const { modifiedAtMs, executable } = file;
  return { kind: 'file', sizeBytes: file.stamp.sizeBytes, modifiedAtMs, executable, blocks };
}
