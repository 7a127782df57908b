import type { Item, ItemPath } from '../../common/feed/item.js';
import type { Cursor, NamespaceName } from '../../common/ids.js';
import type { LocalEntry } from '../state/local-entry.js';
import type { ScanProblem } from '../observe/observation.js';
import type { Way } from '../observe/scan-way.js';

/** What the permissions of the file system refuse; undefined where nothing. */
export interface Denied {
  /** To read what stands at the path. */
  readonly reading: string | undefined;
  /** To change what is in the directory that the path lies in, or, where that is not there, the one in which it has to be made. */
  readonly writing: string | undefined;
}

/** All that can be found out about one path, for telling why it is not where somebody looks for it. */
export interface Facts {
  readonly namespace: NamespaceName;
  readonly path: ItemPath;
  /** By this machine's clock, milliseconds since 1970 UTC. */
  readonly askedAtMs: number;
  readonly service: ServiceFacts;
  readonly folder: FolderFacts;
}

/** What metadata says. */
export type ServiceFacts =
  | { readonly state: 'unreachable'; readonly problem: string }
  /** No namespace of that name has this account for a member. */
  | { readonly state: 'no member' }
  | AnsweredFacts;

export interface AnsweredFacts {
  readonly state: 'answered';
  /** What the namespace holds at the path, deletions among it; undefined where it has never had anything, or forgotten it. */
  readonly item: Item | undefined;
  /** Whose device made it what it is, for people. */
  readonly authorName: string;
  /** The feed's end. */
  readonly end: Cursor;
  /** Whether this account may change the namespace. */
  readonly mayWrite: boolean;
  /** How far this machine's clock is ahead of metadata's, to about a second; negative where it is behind. */
  readonly clockAheadMs: number;
  /** Live paths that differ from this one in case or normalization only. */
  readonly twins: readonly ItemPath[];
  /** Live conflicted copies of the path. */
  readonly copies: readonly ItemPath[];
  readonly agents: readonly AgentFacts[];
  /** How many blocks the item names, and who has them. */
  readonly blocks: BlockFacts;
}

/** An agent to which the namespace is assigned. */
export interface AgentFacts {
  readonly premises: string;
  readonly state: 'online' | 'draining' | 'offline';
  /** How many of the item's blocks it holds. */
  readonly held: number;
  /** What its disk had free when it last said so, and what it keeps free; undefined where this account is not told. */
  readonly freeBytes: number | undefined;
  readonly freeFloorBytes: number | undefined;
}

/** Where the blocks of an item are. A peer's blocks do not count: it may be there, or not. */
export interface BlockFacts {
  readonly count: number;
  /** Held by no assigned agent. */
  readonly nowhere: number;
  /** Held, but by agents alone that are offline. */
  readonly offline: number;
  /** Endpoints that give blocks of the namespace to others. */
  readonly peers: number;
}

/** What the folder says. */
export type FolderFacts =
  /** The directory is, or lies in, no synced folder. */
  | { readonly state: 'none'; readonly directory: string }
  /** It was begun, and never reached a namespace. */
  | { readonly state: 'never synced'; readonly root: string }
  | { readonly state: 'of another namespace'; readonly root: string }
  | SyncedFacts;

export interface SyncedFacts {
  readonly state: 'synced';
  readonly root: string;
  /** The process that syncs it now, if one does. */
  readonly syncedBy: number | undefined;
  /** How far it has read the feed. */
  readonly cursor: Cursor;
  /** What it knows of the path: what the namespace holds, what the folder held, what was agreed on, what was said. */
  readonly remote: Item | undefined;
  readonly local: LocalEntry | undefined;
  readonly synced: Item | undefined;
  readonly offered: Item | undefined;
  /** What it has told an agent and metadata is not known to have heard. */
  readonly provisional: Item | undefined;
  /** What is on the disk now. */
  readonly way: Way;
  /** What the file system says to the name itself, where that is not whether something is there. */
  readonly nameProblem: string | undefined;
  /** Another name that stands there, on a disk that cannot tell the two. */
  readonly diskTwin: string | undefined;
  /** What this account may not do there, for people. */
  readonly denied: Denied;
  /** What a scan finds wrong with the directory of the path, for people. */
  readonly problems: readonly ScanProblem[];
  readonly freeBytes: number;
}
