import type { FeedHistory } from '../../common/feed/feed-history.js';
import type { Item, ItemPath } from '../../common/feed/item.js';
import type { AgentId, Cursor, DeviceId, NamespaceId } from '../../common/ids.js';
import type { SyncMode } from '../progress.js';
import type { LocalEntry } from './local-entry.js';

/** Who keeps a feed of the namespace: a cursor means something only to the one that gave it. */
export type FeedEndpoint = 'metadata' | `agent ${AgentId}` | `peer ${DeviceId}`;

/**
 * One tree to read: what is known of each path. Reads are synchronous and see every write that has resolved; what `get` says of a
 * path never has half of a write, of one tree and not of another.
 */
export interface Tree<T> {
  get(path: ItemPath): T | undefined;
  /** The paths strictly below `path`, or all where it is empty, in the order of their UTF-8 bytes. */
  pathsBelow(path: ItemPath | ''): Iterable<ItemPath>;
}

/**
 * The trees that a plan is made from. All are observations: what a plan would do next is never stored, it follows
 * from them.
 */
export interface Trees {
  /** What the namespace holds, deletions among it, as far as feeds of it were read, whoever keeps them. */
  readonly remote: Tree<Item>;
  /** What the folder held when it was last looked at. */
  readonly local: Tree<LocalEntry>;
  /** What both sides last agreed on; no deletions. */
  readonly synced: Tree<Item>;
  /**
   * What this folder has said to the namespace and not been answered, the last of each path. Of what the folder has moved
   * on from since, a void item remains that keeps the number: no number is given to two changes.
   */
  readonly offered: Pick<Tree<Item>, 'get'>;
  /**
   * What this folder has told another endpoint than metadata, or holds for its peers to hear, as it was sent, until metadata is
   * known to have it.
   */
  readonly provisional: Pick<Tree<Item>, 'get'>;
}

/** What is to change in one tree; undefined removes a path. */
export type TreeChanges<T> = ReadonlyMap<ItemPath, T | undefined>;

/** Changes that become visible together or not at all. */
export interface StateChanges {
  /** The remote tree is emptied before anything else is applied. */
  readonly forgetRemote?: boolean;
  /** What the namespace holds, or held: merged with what the tree has. */
  readonly remote?: ReadonlyMap<ItemPath, Item>;
  /**
   * The same, from another endpoint than metadata: what of it was offered and not answered is provisional from now on,
   * unless the namespace was known to have it.
   */
  readonly heard?: ReadonlyMap<ItemPath, Item>;
  /** What metadata holds, news or not: what was provisional and is in it is so no longer. */
  readonly confirmed?: ReadonlyMap<ItemPath, Item>;
  /** What the namespace holds, in the place of what the tree has: that was wrong. */
  readonly corrected?: TreeChanges<Item>;
  /** Metadata's feed was read up to here; part of the same change as the items read. */
  readonly cursor?: Cursor;
  /** The history that came with `cursor`; absent where none did. */
  readonly history?: FeedHistory | undefined;
  /** The feed of another endpoint was read up to here, and the history that came with that. */
  readonly cursorAt?: readonly [FeedEndpoint, Cursor, (FeedHistory | undefined)?];
  /** Where it is set, the cursor moves only from here: whoever has moved it meanwhile has read further, or begun again. */
  readonly cursorFrom?: Cursor | undefined;
  readonly local?: TreeChanges<LocalEntry>;
  /** Where this moves, what was offered and is known to the namespace is forgotten. */
  readonly synced?: TreeChanges<Item>;
  readonly offered?: TreeChanges<Item>;
  /**
   * What was being brought into the folder when the namespace moved on from it; where something is kept for a path, that
   * stays.
   */
  readonly inHand?: TreeChanges<Item>;
  /** Merged with what was provisional before; undefined where it is given up. */
  readonly provisional?: TreeChanges<Item>;
}

/** What a write has done to the remote tree. */
export interface RemoteMove {
  /** It was emptied first. */
  readonly isEmptied: boolean;
  /** These say something else than before, or are gone; some may come twice. */
  readonly paths: readonly ItemPath[];
}

/**
 * What a client knows of its folder and its namespace. It can be thrown away: the next sync reads both sides again and
 * finds what agrees.
 */
export interface TreeStore extends Trees {
  /** The namespace that the folder is synced with, from the first {@link claim} on. */
  readonly namespaceId: NamespaceId | undefined;
  /** What tells this state from every other; undefined before the first {@link claim}. */
  readonly nonce: string | undefined;
  /** Where to go on reading metadata's feed. */
  readonly cursor: Cursor;
  readonly provisional: Tree<Item>;
  /**
   * What was being brought into the folder, by an operation that was not noted by then, when the namespace moved on from it: the
   * folder may hold it.
   */
  readonly inHand: Tree<Item>;
  readonly provisionalCount: number;
  /** Where to go on reading the feed of an endpoint: at the start where it was never read. */
  cursorOf(endpoint: FeedEndpoint): Cursor;
  /** The history that came with that cursor; undefined where none did. */
  historyOf(endpoint: FeedEndpoint): FeedHistory | undefined;
  /**
   * Binds the state to a namespace; `nonce` is random. What was offered under an earlier nonce is forgotten: nobody can tell whose
   * change has its number. Resolves when durable.
   */
  claim(namespaceId: NamespaceId, nonce: string): Promise<void>;
  /**
   * Applies `changes`; resolves when they are visible. Changes become durable in the order in which they were written,
   * so after a crash the state is one that was once current.
   */
  write(changes: StateChanges): Promise<void>;
  /** Resolves when everything written so far is durable. */
  durable(): Promise<void>;
  /**
   * Calls `listener` after each write that has moved the remote tree, once that is visible, in the order of the writes; it must
   * not throw.
   */
  onRemoteMoved(listener: (moved: RemoteMove) => void): void;
  /** Writes down how the sync is connected, for whoever looks at the folder. */
  noteMode(mode: SyncMode): Promise<void>;
  /** Waits until everything written is durable, and closes. Nothing may be called afterwards. */
  close(): Promise<void>;
}
