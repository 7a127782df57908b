/** The part of common/limits.ts, through which it is imported, that is about endpoints which give blocks to others. */

const KiB = 1024;
const MiB = 1024 * KiB;

/** A client endpoint among its peers. Sizes are in bytes, times in milliseconds. */
export const peerLimits = {
  /** Peers of one namespace that an endpoint knows and keeps a connection to. */
  known: 64,
  /** How long a peer may take to answer the first question over a new connection, and how many are asked at once. */
  probeMs: 5_000,
  probesAtOnce: 8,
  /** For this long a peer that has failed or stalled is left alone. */
  pauseMs: 30_000,
  /** For this long one whose line broke, or that could not be reached; twice as long each time, up to `pauseMs`. */
  firstPauseMs: 1_000,
  /** An endpoint says again that it is there, and asks who else is, this often, or when this part of its lease is over. */
  lookUpMs: 15_000,
  lookUpShare: 1 / 2,
  /** A download of this size asks anew where the last answer is older than this, and waits for the answer this long at the most. */
  lookUpFromBytes: 8 * MiB,
  lookUpAgeMs: 2_000,
  lookUpWaitMs: 4_000,
  /** How long it takes leave of metadata when it ends, and lets others finish what they are being given. */
  farewellMs: 1_000,
  drainMs: 500,
  /** Peers of the site that are asked for a block before the agents, and after them; and remote ones at the end. */
  triedBeforeAgents: 2,
  triedAfterAgents: 4,
  remoteTried: 2,
  /** Blocks of one download of which it asks who at the site has them, and how long it waits before it begins without. */
  surveyedBlocks: 65_536,
  surveyMs: 1_000,
  /** A source from which more is owed than it gives in this time is passed over while another can be asked. */
  patienceMs: 5_000,
  /** The same for endpoints of the site: agents are spared for longer. */
  sitePatienceMs: 30_000,
  /** A source that has sent nothing for this long, though something is owed, is dropped where another can be asked. */
  peerStallMs: 10_000,
  agentStallMs: 20_000,
  /** How often that is looked at. */
  stallCheckMs: 500,
  /** For this long a source that was dropped, or a peer that lacked so many blocks in a row, is not asked in a download. */
  dropMs: 10_000,
  lacks: 16,
  /** A rate is measured over at least this time and this many bytes. */
  rateMs: 250,
  rateBytes: 512 * KiB,
  /** A peer waits for a block that it is fetching itself as long as blocks come to it, one in this time at the least. */
  comingIdleMs: 10_000,
  /** For this long it waits to hear of a block of which it knows nothing, and not again for a while where that was in vain. */
  newsWaitMs: 12_000,
  newsPauseMs: 30_000,
  /** How often one that has nothing to send says that it is alive. */
  signMs: 1_000,
  /** Blocks of one download that it knows to be coming, and bytes of whole small files that it keeps to give them on. */
  comingBlocks: 131_072,
  comingBytes: 16 * MiB,
  /** How often the local network is asked who gives blocks, and for how long what it says is believed. */
  lanAskMs: 60_000,
  lanTtlSeconds: 150,
  /** Subscriptions to an endpoint's feed that it serves at once, and encoded pages kept for those at the same cursor. */
  feedSubscribers: 64,
  pageCacheBytes: 2 * MiB,
  /** Cursors of an endpoint's feed that go with one millisecond of the calendar: it has less to say than that. */
  cursorsPerMs: 1_000,
  /** Places that paths have left, beyond as many as there are paths, after which an endpoint's feed lets go of them. */
  placesLeft: 1_024,
  /** The bucket of a bandwidth limit holds what passes in this time: what was saved up is not sent at once. */
  rateBurstMs: 250,
} as const;
