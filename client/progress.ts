/** What a sync is doing. */
export type SyncPhase =
  /** Reaching metadata for the first time, or reading the feed up to its end. */
  | 'connecting'
  /** Metadata or agents are away; attempts go on. */
  | 'waiting'
  /** Reading the folder. */
  | 'scanning'
  /** Uploading, fetching or changing the folder. */
  | 'syncing'
  /** Both sides are equal; waiting for changes. */
  | 'quiet';

/** How a sync is connected. */
export type SyncMode =
  /** To metadata. */
  | 'online'
  /** Metadata is away; an agent that holds the namespace takes changes provisionally, and tells of those of others. */
  | 'agent'
  /** Metadata and those agents are away; other endpoints of the namespace hear of this folder's changes, and tell of theirs. */
  | 'peers'
  /** Those are away as well, or none is known: changes stay in the folder and wait. */
  | 'alone';

/** How far the work that is known of has come; the totals grow as more is found. */
export interface SyncProgress {
  readonly phase: SyncPhase;
  readonly mode: SyncMode;
  /** Operations on items: committed, fetched, moved, removed. */
  readonly itemsDone: number;
  readonly itemsTotal: number;
  /** Bytes of file content, whether they travelled or were found to be there already. */
  readonly bytesDone: number;
  readonly bytesTotal: number;
  /** Items of this folder that an agent has, or peers can hear of, and metadata is not known to have. */
  readonly itemsProvisional: number;
}

/** Something that could not be synced and is left as it is, or that others may not be able to have; the rest goes on. */
export interface SyncProblem {
  /** The item's path, or the name as found where it cannot be one. */
  readonly name: string;
  /** For people: what is wrong and what to do. */
  readonly problem: string;
  /** Set where it is synced all the same; it is not counted then. */
  readonly isSynced?: true;
}

/** An item was changed in two places, neither in the knowledge of the other: both contents are kept. */
export interface SyncConflict {
  /** The path, which holds the content that stands. */
  readonly path: string;
  /** Where the other content was put, by this client or by one that did the same at the same time. */
  readonly keptAs: string;
  /** Whether the content that was put there is this device's; otherwise another's is, and this one's may be what stands. */
  readonly isOwn: boolean;
}

/** Told what a sync does, as it happens. Calls are synchronous and must return quickly; a throw ends the sync. */
export interface SyncObserver {
  /** At a change of phase, and while syncing at most once per `clientLimits.progressIntervalMs`. */
  progress(progress: SyncProgress): void;
  problem(problem: SyncProblem): void;
  conflict(conflict: SyncConflict): void;
  /** The connection was lost, or an attempt failed; the next one comes after `retryInMs`. */
  waiting(reason: string, retryInMs: number): void;
}

/** What a sync did, from its start to its end, and how it stands now. */
export interface SyncSummary extends SyncCounts {
  readonly mode: SyncMode;
  /** As in {@link SyncProgress}. */
  readonly itemsProvisional: number;
}

/** What a sync has counted since its start. */
export interface SyncCounts {
  /** Items of this folder that entered the namespace, deletions among them. */
  readonly itemsCommitted: number;
  /** Items of the namespace that were brought to this folder, deletions among them. */
  readonly itemsApplied: number;
  /** Files whose content was brought here, from wherever its blocks came. */
  readonly filesFetched: number;
  /** Files that were given another name without moving a byte. */
  readonly filesMoved: number;
  /** Block hashes that metadata was asked about. */
  readonly blocksAsked: number;
  readonly blocksMissing: number;
  readonly blocksUploaded: number;
  readonly bytesUploaded: number;
  /** Bytes that did not have to be uploaded, because the target had their blocks. */
  readonly bytesSaved: number;
  readonly blocksFetched: number;
  readonly bytesFetched: number;
  /** Bytes of fetched files that were found on the local disk. */
  readonly bytesFromLocal: number;
  /** Of the bytes fetched, those from endpoints at the same site or on the same network. */
  readonly bytesFromSitePeers: number;
  /** Those from agents of this site, or of any where none was named, and from agents of other sites. */
  readonly bytesFromSiteAgents: number;
  readonly bytesFromOtherAgents: number;
  /** Those from endpoints elsewhere. */
  readonly bytesFromRemotePeers: number;
  /** Blocks, and their bytes, that were given to other endpoints. */
  readonly blocksGiven: number;
  readonly bytesGiven: number;
  /** Endpoints that metadata or the network told of, and connections that were made to such. */
  readonly peersFound: number;
  readonly peerSessions: number;
  /** Endpoints that sent wrong bytes, and were asked for nothing more. */
  readonly peersBanned: number;
  readonly conflicts: number;
  readonly problems: number;
}
