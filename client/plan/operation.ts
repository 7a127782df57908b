import type { Settlement } from '../../common/feed/conflicts.js';
import type { FileContent, Item, ItemContent, ItemPath, SymlinkContent } from '../../common/feed/item.js';
import type { LocalEntry, LocalFile } from '../state/local-entry.js';

/** An item whose content is of one kind. */
export type ItemOf<Content extends ItemContent> = Item & { readonly content: Content };

/**
 * One step towards both sides being equal. An operation names everything that it was decided from, `replaces` first of
 * all: whoever carries it out leaves things as they are where the folder is no longer so, and a new plan is made.
 */
export type Operation =
  | CommitItem
  | Settle
  | ReadFile
  | FetchFile
  | MakeDirectory
  | MakeSymlink
  | Remove
  | Move
  | SetAttributes
  | Adopt
  | KeepConflict;

/** An item that this folder makes, but for its content. */
export type Offer = Pick<Item, 'version' | 'change' | 'at' | 'author'>;

/** Bring a state of this folder into the namespace. */
export interface CommitItem {
  readonly kind: 'commit-item';
  readonly path: ItemPath;
  readonly offer: Offer;
  /** Set where this was said before and not answered, and is said again as it was; where it is no longer so, it is not. */
  readonly again: Item | undefined;
  /** Set where an agent has taken it, or peers could hear of it, and metadata is not known to have it. */
  readonly isProvisional?: true;
  /** Set where it is no longer what the folder holds, which stays as it is, whatever becomes of this. */
  readonly isPast?: true;
  readonly change: Change;
}

/** Where the content of a commit comes from. */
export type Change =
  /** What the folder holds. A file is read first; where it is as `synced` says after all, nothing is committed. */
  | { readonly from: 'folder'; readonly entry: LocalEntry; readonly synced: Item | undefined }
  /** The item is gone from the folder. */
  | { readonly from: 'deletion'; readonly synced: Item | undefined };

/** Commit conflicted copies together with the item at `path` that they settle. The folder is not touched. */
export interface Settle {
  readonly kind: 'settle';
  readonly path: ItemPath;
  /** The copies that the namespace does not have yet, then the item. */
  readonly items: readonly Item[];
  /** Of which copies the namespace is known already, by their paths: somebody has been told of them. */
  readonly known: readonly ItemPath[];
  /** As in `Settlement`. */
  readonly alike: Settlement['alike'];
}

/** Find out which blocks a file has, so that it can be compared. */
export interface ReadFile {
  readonly kind: 'read-file';
  readonly path: ItemPath;
  readonly file: LocalFile;
}

/** Bring a file's content here. */
export interface FetchFile {
  readonly kind: 'fetch-file';
  readonly path: ItemPath;
  readonly item: ItemOf<FileContent>;
  /** What stands at the path now and may be replaced: a file or symlink. */
  readonly replaces: LocalEntry | undefined;
}

export interface MakeDirectory {
  readonly kind: 'make-directory';
  readonly path: ItemPath;
  /** Undefined where the namespace has no such directory and something below it needs one. */
  readonly item: Item | undefined;
}

export interface MakeSymlink {
  readonly kind: 'make-symlink';
  readonly path: ItemPath;
  readonly item: ItemOf<SymlinkContent>;
  /** As in {@link FetchFile}. */
  readonly replaces: LocalEntry | undefined;
}

/** Remove a file or symlink, or a directory that is empty by then. */
export interface Remove {
  readonly kind: 'remove';
  readonly path: ItemPath;
  readonly replaces: LocalEntry;
}

/** Give a file the name under which the namespace has its content now, and the attributes that go with it. */
export interface Move {
  readonly kind: 'move';
  readonly from: ItemPath;
  readonly path: ItemPath;
  readonly source: LocalFile;
  readonly item: ItemOf<FileContent>;
}

/** Set modification time and executable bit; the bytes are right. */
export interface SetAttributes {
  readonly kind: 'set-attributes';
  readonly path: ItemPath;
  readonly item: ItemOf<FileContent>;
  readonly replaces: LocalFile;
}

/** Both sides are equal: note it. Without an item both have nothing there. */
export interface Adopt {
  readonly kind: 'adopt';
  readonly path: ItemPath;
  readonly item: Item | undefined;
}

/** Put this folder's content under another name, so that the namespace's can take its place. */
export interface KeepConflict {
  readonly kind: 'keep-conflict';
  readonly path: ItemPath;
  readonly keptAs: ItemPath;
  readonly replaces: LocalEntry;
}
