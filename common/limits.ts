/**
 * Every bound of the system, in one place. A queue, message, list, cache or retry without a line here is a defect.
 * Sizes are in bytes, times in milliseconds. The wire limits are part of the contracts in proto/ and docs/protocol.md.
 */

export { clientLimits } from './client-limits.js';
export { peerLimits } from './peer-limits.js';
export { loadLimits, trustLimits } from './trust-limits.js';

const KiB = 1024;
const MiB = 1024 * KiB;

/** Limits of the wire contracts: both sides check them. */
export const wireLimits = {
  /** The largest block. */
  blockBytes: 4 * MiB,
  /** The largest gRPC message in either direction: one block, or one very long blocklist, and what surrounds it. */
  messageBytes: 16 * MiB,
  /** A request of an RPC that carries no content: a full list of hashes, and as much again. */
  requestBytes: 256 * KiB,
  /** Hashes in one packed list. */
  hashesPerMessage: 4096,
  /** Items in one commit message, which is one transaction. */
  itemsPerCommit: 1024,
  /** Receipts in one commit message. */
  receiptsPerCommit: 64,
  /** Entries in one feed page. */
  entriesPerPage: 4096,
  /** Encoded size at which a feed page is closed, unless its only entry is larger. */
  pageBytes: 1 * MiB,
  /** Blocks in one file: at the average block of 512 KiB a file of 128 GiB. */
  blocksPerItem: 262_144,
  /** A path, in UTF-8: what an ordered key of the stores can hold beside the namespace. */
  pathBytes: 1900,
  /** One part of a path, in UTF-8: what common file systems can hold. */
  pathPartBytes: 255,
  /** The target of a symlink, in UTF-8. */
  symlinkTargetBytes: 4095,
  /** Replicas in one version. */
  versionEntries: 1024,
  /** Concurrent states of one item beside the one that stands; all of them together share `blocksPerItem`. */
  rivalsPerItem: 64,
  /** Names of accounts, namespaces and premises. */
  nameLength: 64,
  /** Free texts for people: a device's display name, a software version. */
  displayTextBytes: 64,
  /** Agents that hold one namespace. */
  replicas: 16,
  /** Rows in one page of an administrative list. */
  rowsPerPage: 1000,
  /** HOST:PORT; how many of them a peer may have, and peers in one answer. */
  addressLength: 261,
  addressesPerPeer: 8,
  peersPerAnswer: 64,
  /** An error travels in HTTP/2 trailers, which gRPC stacks limit to 8 KiB: its message, and each of its facts. */
  errorMessageBytes: 1024,
  errorFacts: 8,
  errorFactBytes: 128,
} as const;

/** How content is cut: FastCDC 2020 as the Remote Execution API advises. */
export const chunking = {
  minBytes: 128 * KiB,
  averageBytes: 512 * KiB,
  maxBytes: 2 * MiB,
  normalization: 2,
  seed: 0n,
} as const;

/** gRPC transport. */
export const rpcLimits = {
  /** HTTP/2 receive window of a stream and of a connection, both ends: 16 MiB feed 100 MB/s over a 150 ms round trip. */
  windowBytes: 16 * MiB,
  /** Messages that one call queues in each direction before it waits: grpc-js would queue 16 of any size. */
  messagesQueued: 4,
  /** Streams that one connection may have open. */
  streamsPerConnection: 4096,
  /** How long a draining server waits for open calls before it ends them. */
  drainGraceMs: 10_000,
  /** How long it then waits for handlers to heed the end of their calls. */
  settleMs: 5_000,
  /** How long it may take until a connection stands: looking up the name, reaching the machine, the TLS handshake. */
  connectMs: 20_000,
  /** Default deadline of a unary call. */
  unaryTimeoutMs: 20_000,
  /** Both ends ping each other, so that a connection that is alive is never silent for long. */
  pingIntervalMs: 20_000,
  /** A client's ping, or its answer, may wait behind all that is on its way over a slow line. */
  pingTimeoutMs: 600_000,
  /** A client takes a connection over which nothing has come for so long for lost, */
  serverSilenceMs: 30_000,
  /** and a server one of a client that for so long has not answered, which may wait behind much else on a slow line, */
  clientSilenceMs: 90_000,
  /** nor moved so many bytes between two looks. */
  clientBytesPerLook: 16 * KiB,
  /** In how many looks at a connection its silence is noticed. */
  silentLooks: 6,
  /** How soon it is noticed that a connection was reset. */
  resetLookMs: 1_000,
} as const;

/** What programs keep. */
export const dataLimits = {
  /**
   * What has to be free where a program makes its data directory: a store maps its files into memory, and the system kills
   * who writes there to a disk that is full.
   */
  newDirectoryBytes: 1 * MiB,
  /** A disk with less is taken for full where a store could not write to it. */
  fullBelowBytes: 1 * MiB,
  /** A store's commit that failed says why within this time, or not at all. */
  commitErrorMs: 2_000,
} as const;

/** Reconnecting and repeating: delays double from the first bound to the second; half of each is random. */
export const retryLimits = {
  initialDelayMs: 100,
  maxDelayMs: 15_000,
  /** Attempts of one transfer before its error is reported; a watching client starts over at the next change. */
  attempts: 8,
  /** A store that had no room is asked again after this long. */
  diskFullMs: 5_000,
} as const;

/** The block server. */
export const blockServerLimits = {
  /** Bytes of blocks that one put stream may have received but not yet made durable. */
  putBytesInFlight: 32 * MiB,
  /** The same for all streams of a server together; a stream waits for its share. */
  putBytesInFlightTotal: 128 * MiB,
  /** The same for all put streams of one account: what it has in flight leaves room for others. */
  putBytesInFlightPerAccount: 64 * MiB,
  /** Bytes of blocks read for one get stream and not yet handed to the transport. */
  getBytesInFlight: 8 * MiB,
  /** Small blocks share a message up to this size. */
  batchBytes: 1 * MiB,
  /** How long a client holds a batch of small blocks open for the next one. */
  batchLingerMs: 2,
  /** Portions of a get stream, of at most `batchBytes` or one block each, that are read ahead of the one being sent. */
  getPortionsAhead: 8,
  /** Messages of a get stream whose blocks a client verifies ahead of the one it hands on. */
  getMessagesAhead: 4,
  /** Streams of one method that a server has open at once; more are refused. */
  streamsPerMethod: 256,
  /** Of these, those of one account, and those of one of its devices: nobody alone can take them all. */
  streamsPerAccount: 64,
  streamsPerDevice: 32,
  /** Blocks in one put stream: what a server has to remember so that no receipt covers a block twice. */
  blocksPerPutStream: 65_536,
  /** A group commit closes at this many bytes or blocks: larger ones were no faster, only later. */
  groupBytes: 8 * MiB,
  groupBlocks: 4096,
  /** What a refused client is told to wait: for a free stream, and for free space. */
  overloadedRetryMs: 500,
  diskFullRetryMs: 30_000,
  /** How old a reading of the free space may be before it is taken anew. */
  freeSpaceMaxAgeMs: 1000,
  /** Free space below which blocks are refused, unless configured. */
  freeFloorBytes: 1024 * MiB,
  /** Largest size to which a block store may grow: address space, not disk. */
  mapBytes: 16 * 1024 * 1024 * MiB,
} as const;

/** An agent beside its block server. */
export const agentLimits = {
  /** Heartbeats are never closer together than this, whatever metadata asks for. */
  heartbeatIntervalMinMs: 500,
  /** How long a draining agent waits for metadata to end the heartbeat stream. */
  farewellMs: 2_000,
  /** Messages that wait in one namespace to be passed on to metadata, and their bytes; more are refused with a delay. */
  provisionalMessages: 16_384,
  provisionalBytes: 128 * MiB,
  provisionalRetryMs: 30_000,
  /** Items that one transaction forgets of a namespace that is no longer assigned. */
  itemsDroppedAtOnce: 4_096,
  /** Open subscriptions to its feeds, and encoded pages kept for those that stand at the same cursor. */
  subscribers: 4_096,
  pageCacheBytes: 8 * MiB,
  /** How often it is written down when metadata was last heard. */
  lastWordKeptMs: 60_000,
  /** Largest size to which the feed store may grow: address space, not disk. */
  feedMapBytes: 256 * 1024 * MiB,
} as const;

/** The metadata service. */
export const metadataLimits = {
  /** An agent whose heartbeat stream is gone for this long is offline. */
  heartbeatIntervalMs: 5_000,
  offlineAfterMs: 20_000,
  /** How often the states of the agents are looked through for those that have fallen silent. */
  fleetSweepIntervalMs: 1_000,
  /** Agents ever registered: presence names each by a number of 16 bits. */
  agents: 65_535,
  /** Endpoints of one namespace that are known to give blocks, and for how long each is after it has said so. */
  advertsPerNamespace: 4096,
  advertLeaseMs: 60_000,
  /** Open subscriptions and watches of one server. */
  subscribers: 20_000,
  /** Pairs of a device and a namespace whose role is remembered until the directory changes. */
  membershipsRemembered: 65_536,
  /** Encoded feed pages kept for subscribers that stand at the same cursor. */
  pageCacheBytes: 32 * MiB,
  /** Readers of whom is remembered that they began at 0. */
  feedWalks: 4096,
  /** Replicas of one namespace of which is kept how far they have seen its feed. */
  replicasPerNamespace: 16_384,
  /** A replica that says nothing new is noted no more often than this. */
  replicaNotedMs: 60 * 60 * 1000,
  /** No deletion is forgotten before this, whoever has seen it; one that is older than the second is, whoever has not. */
  tombstoneKeptMs: 24 * 60 * 60 * 1000,
  tombstoneAgeMs: 90 * 24 * 60 * 60 * 1000,
  /** How often deletions are looked through, and how far apart the marks are by which their age is known. */
  compactionIntervalMs: 60 * 60 * 1000,
  feedMarkMs: 6 * 60 * 60 * 1000,
  /** Deletions that are forgotten in one transaction. */
  tombstonesPerStep: 1024,
  /** Requests of one commit or find-missing stream read ahead of the answers. */
  requestsInFlight: 4,
  /** A receipt is accepted for this long after it was issued, and this far ahead of our clock. */
  receiptMaxAgeMs: 24 * 60 * 60 * 1000,
  receiptMaxSkewMs: 5 * 60 * 1000,
  /** How long a caller that was refused for want of room is told to wait. */
  retryAfterMs: 2_000,
  /** Largest size to which the store may grow: address space, not disk. */
  mapBytes: 1024 * 1024 * MiB,
} as const;

/** Whoever keeps a feed. */
export const feedLimits = {
  /** Feed entries looked at for one page with a path prefix, most of which may lie elsewhere. */
  entriesScannedPerPage: 16_384,
  /** Encoded items in the answer to one push, unless it is a single one: with them it still fits into a message. */
  answerBytes: 8 * MiB,
  /** Processes that have added to the feed of one namespace, of which is kept where each began. */
  histories: 1_000,
  /** How far ahead of our clock a change may say it was made. */
  changeAheadMs: 5 * 60 * 1000,
  /** How long a subscriber for whom there is no place is told to wait. */
  retryAfterMs: 2_000,
} as const;
