const KiB = 1024;
const MiB = 1024 * KiB;

/** A client endpoint. */
export const clientLimits = {
  /** Bytes of blocks cut but not yet acknowledged by the target, or answered as not missing. */
  uploadBytesInFlight: 24 * MiB,
  /** Bytes of blocks asked for or received and not yet written. */
  downloadBytesInFlight: 48 * MiB,
  /** Bytes that one cutting task reads before it answers. */
  cutTaskBytes: 8 * MiB,
  /** Files that one cutting task takes at the most. */
  cutTaskFiles: 256,
  /** Cutting threads at the most, unless the machine has fewer cores, and tasks that wait for one. */
  cutThreads: 3,
  cutTasksQueued: 4096,
  /** A cutting thread that has had nothing to do for this long ends and gives its memory back. */
  cutThreadIdleMs: 10_000,
  /** The part of a file that a cutting thread has in memory, and what it reads at once: a cache's worth. */
  cutWindowBytes: 8 * MiB,
  cutReadBytes: 1 * MiB,
  /** From this size on several threads cut one file, each a guessed segment of `cutSegmentBytes`. */
  cutGuessFromBytes: 32 * MiB,
  cutSegmentBytes: 16 * MiB,
  /** How far behind a segment's end its chunks may go on to meet those of the next segment. */
  cutMeetBytes: 16 * MiB,
  /** How far content of a large file may have moved since it was last cut and still be recognised without cutting. */
  cutKnownBytes: 32 * MiB,
  /** Two changes of a file within this time may carry the same stamp: the coarsest tick of a kernel, twice. */
  stampTickMs: 20,
  /** How long a scan keeps the thread to itself before others have a turn. */
  scanSliceMs: 10,
  /** The largest ignore file. */
  ignoreFileBytes: 256 * KiB,
  /** Changed paths that are remembered one by one; of more than that, only that everything may have changed. */
  watchedPaths: 16_384,
  /** How often the folder is scanned, and the watcher tried again, where changes cannot be watched. */
  unwatchedScanIntervalMs: 30_000,
  /**
   * Failures of the watcher in a row while which the next attempt is waited for, and until people are told. The pause after
   * the first doubles, up to `settleMaxMs`: together some seconds, in which what is being removed is gone.
   */
  watchFailuresAwaited: 5,
  watchFailuresUntold: 12,
  watchRetryMs: 50,
  /** So many characters of a path that cannot be watched are shown. */
  unwatchedPathShown: 120,
  /** Files that are assembled from several blocks at once, each with an open descriptor. */
  filesInFlight: 64,
  /** Blocks of a file that is read without syncing that are fetched ahead of the one being written. */
  readBlocksAhead: 16,
  /** Blocks that wait to be asked of one source. */
  wantedBlocksQueued: 16_384,
  /** A full scan as the truth behind the watcher's hints. */
  fullScanIntervalMs: 10 * 60 * 1000,
  /** Quiet time after a change before it is read, and the longest wait while changes keep coming. */
  settleMs: 100,
  settleMaxMs: 2_000,
  /** How often a file that changes while it is read is tried before it is left for the next round. */
  unstableFileAttempts: 3,
  /** How many such rounds a sync that runs once lasts, before it ends without the file. */
  unstableFileRounds: 3,
  /** Metadata is away where it has not answered for this long. */
  metadataAwayMs: 5_000,
  /** How long nobody stands in for it before the next attempt to find an agent that does. */
  standInRetryMs: 500,
  /** How long agents have, once metadata is back, to tell it what they took; then the folder that said it does. */
  relayPatienceMs: 30_000,
  /** For this long after an agent has failed, others come before it. */
  agentPauseMs: 10_000,
  /** Problems that are remembered, so that each is reported once. */
  problemsRemembered: 10_000,
  /** Blocks that wait to be asked about, and blocks that wait to be put. */
  uploadBlocksQueued: 8192,
  /** Groups of small files, and large files, that are cut at the same time. */
  cutGroupsAhead: 3,
  /** Messages of hashes, and of items, that are under way before an answer must have come. */
  asksInFlight: 2,
  commitsInFlight: 2,
  /** Hashes in the items, and in the receipts, of one commit message; a single one may be larger. */
  commitMessageBytes: 2 * MiB,
  /** Threads that change the folder, how long one lives without work, and tasks that wait for one. */
  diskThreads: 2,
  diskThreadIdleMs: 10_000,
  diskTasksQueued: 1024,
  /** Files, and bytes of files, that take their place in one task and share its syncs. */
  placeTaskFiles: 512,
  placeTaskBytes: 8 * MiB,
  /** Changes of the folder in one task. */
  changeTaskChanges: 1024,
  /** Bytes of blocks copied from one local file to another in one task. */
  copyTaskBytes: 32 * MiB,
  /** How old a reading of the disk's free space may be when it decides whether a file fits. */
  freeSpaceMaxAgeMs: 1_000,
  /** Bytes written to a file that is being assembled after which the disk is asked to take them. */
  earlySyncBytes: 32 * MiB,
  /** Values of each tree of the state that are kept in memory, and the blocks that one of them may have. */
  recentValues: 16_384,
  recentValueBlocks: 8,
  /** Local blocks whose places are remembered, so that they need not be fetched. */
  localBlocksIndexed: 500_000,
  /** Progress is reported no more often than this. */
  progressIntervalMs: 100,
} as const;
