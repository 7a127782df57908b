import { anySignal } from '../../common/concurrency/any-signal.js';
import { ChangeSignal } from '../../common/concurrency/change-signal.js';
import { withRetries } from '../../common/concurrency/retry.js';
import { DrystoneError } from '../../common/errors.js';
import type { TokenVerifier } from '../../common/identity/access-tokens.js';
import type { TokenTime } from '../../common/identity/offline-grace.js';
import type { AgentId, NamespaceId, ReplicaId } from '../../common/ids.js';
import { clientLimits } from '../../common/limits.js';
import { agentTransfers } from '../act/agent-transfers.js';
import type { FolderPlaces } from '../act/folder-places.js';
import { runTogether } from '../act/run-together.js';
import { noteOffers } from '../act/upload/note-offers.js';
import type { AccessTokens } from '../connection/access-tokens.js';
import type { AgentDirectory } from '../connection/agent-directory.js';
import { onlyAssignment } from '../connection/assignment.js';
import type { KeptAssignment } from '../connection/kept-assignment.js';
import type { MetadataCalls } from '../connection/metadata-calls.js';
import { writersToken } from '../connection/own-right.js';
import type { FolderWatch } from '../observe/folder-sight.js';
import type { PeerFeed } from '../peers/peer-directory.js';
import type { PeerNetwork } from '../peers/peer-network.js';
import type { SyncMode } from '../progress.js';
import { LocalBlockIndex } from '../state/local-block-index.js';
import { StateWriter } from '../state/state-writer.js';
import { agentUpstream } from '../upstream/agent-upstream.js';
import type { MetadataReach } from '../upstream/metadata-reach.js';
import { metadataUpstream } from '../upstream/metadata-upstream.js';
import { ownUpstream } from '../upstream/own-upstream.js';
import { Standing } from '../upstream/standing.js';
import { awaitRelay } from './await-relay.js';
import { catchUp, followFeed, type FeedFollowerParts } from './feed-follower.js';
import { followAgents } from './follow-agents.js';
import { followPeers } from './follow-peers.js';
import { FollowedFeeds } from './followed-feeds.js';
import { InHand } from './in-hand.js';
import { Inbox } from './inbox.js';
import { Owed } from './owed.js';
import { checkOwnNumbers } from './own-numbers.js';
import { retryingOf } from './retrying.js';
import type { SessionParts } from './session-parts.js';
import { SyncLoop } from './sync-loop.js';

/** What a session has found out, and whom it speaks with. */
export interface Connections {
  readonly namespaceId: NamespaceId;
  /** The folder, as one that changes items. */
  readonly replica: ReplicaId;
  readonly metadata: MetadataCalls;
  readonly tokens: AccessTokens;
  /** Knows the keys with which access tokens are signed, as the last of our own came with them. */
  readonly verifier: TokenVerifier;
  readonly tokenTime: TokenTime;
  readonly agents: AgentDirectory;
  readonly reach: MetadataReach;
  readonly kept: KeptAssignment;
}

/** What goes on at the same time in a sync, and what joins it. */
export class SessionTasks {
  readonly #inbox = new Inbox();
  readonly #index: LocalBlockIndex;
  readonly #peers: PeerNetwork | undefined;
  readonly #standing: Standing;
  readonly #owed: Owed;
  readonly #inHand: InHand;
  readonly #feeds: FollowedFeeds;
  /** Where the items of the folder lie, as it was last looked at. */
  #places: FolderPlaces | undefined;
  readonly #looked = new ChangeSignal();
  #noted: Promise<void> = Promise.resolve();

  constructor(
    private readonly parts: SessionParts,
    private readonly connections: Connections,
  ) {
    const { signingKey: privateKey, once, deviceId, store } = parts;
    const { namespaceId, tokens } = connections;
    const { clock } = parts.context;
    this.#index = new LocalBlockIndex(parts.store.local);
    this.#standing = new Standing({
      clock,
      relayPatienceMs: once ? 0 : clientLimits.relayPatienceMs,
      metadata: metadataUpstream({ ...parts, ...connections }),
      agent: (agentId) => agentUpstream({ ...connections, agentId, privateKey, clock }),
      own: ownUpstream({ deviceId, store, checkRight: () => writersToken(tokens, namespaceId) }),
      onChange: (mode) => this.#connected(mode),
    });
    this.#owed = new Owed(this.#standing);
    this.#inHand = new InHand(store);
    this.#feeds = new FollowedFeeds({
      ...parts,
      ...connections,
      standing: this.#standing,
      inbox: this.#inbox,
      inHand: this.#inHand,
      clock,
    });
    this.#peers = parts.peers?.({
      ...parts,
      ...connections,
      index: this.#index,
      absolutePath: (path) => this.#places?.absolutePath(path),
    });
  }

  /** Runs until the loop is done; see `runSession`. */
  async run(signal: AbortSignal): Promise<void> {
    this.#noteMode(this.#standing.mode);
    // The watch comes before the loop's first scan: a change between the two would be seen by neither.
    const watch = this.parts.once ? undefined : await this.#startWatch();
    try {
      await this.#runWith(watch, signal);
    } finally {
      await watch?.close();
      await this.#noted;
    }
  }

  async #runWith(watch: FolderWatch | undefined, signal: AbortSignal): Promise<void> {
    const done = new AbortController();
    const tasks = [
      async (together: AbortSignal): Promise<void> => {
        await this.#loop().run(together);
        done.abort();
      },
      (together: AbortSignal) => this.#followMetadata(together),
      (together: AbortSignal) => this.#repeat(together, () => this.#watchAssignments(together)),
      (together: AbortSignal) => this.#awaitRelay(together),
    ];
    if (!this.parts.once) tasks.push((together) => this.#followAgents(together));
    const peers = this.#peers;
    if (peers !== undefined) {
      tasks.push((together) => withRetries(retryingOf(this.parts, together), () => peers.run(together)));
      if (!this.parts.once) tasks.push((together) => this.#followPeers(peers, together));
    }
    if (watch !== undefined) tasks.push((together) => this.#passOnHints(watch, together));
    try {
      await runTogether(anySignal([signal, done.signal]), tasks);
    } catch (thrown) {
      if (signal.aborted || !done.signal.aborted) throw thrown;
    }
  }

  #loop(): SyncLoop {
    const { parts } = this;
    const { context, store, disk, tally, deviceId } = parts;
    const index = this.#index;
    const transfers = agentTransfers({
      ...parts,
      ...this.connections,
      ...context,
      self: deviceId,
      peers: this.#peers,
      isPaced: parts.bandwidth.down !== undefined,
      index,
      upstream: () => this.#standing.upstream,
      onOffer: (items) => noteOffers(items, store, index),
      checkHeld: (item) => checkOwnNumbers([item], this.connections.replica, store),
      onCursor: (cursor) => this.#inbox.committed(cursor),
    });
    return new SyncLoop({
      ...parts,
      ...this.connections,
      ...context,
      device: deviceId,
      scanner: parts.sight.scanner,
      inbox: this.#inbox,
      owed: this.#owed,
      inHand: this.#inHand,
      round: { disk, tally, transfers, writer: new StateWriter(store, index) },
      doConflictsWait: () => this.#standing.mode === 'peers',
      catchUp: (signal) => this.#catchUp(signal),
      onPlaces: (places) => {
        this.#places = places;
        this.#looked.notify();
      },
    });
  }

  /** Reads on where changes go now; nowhere while nobody takes them. */
  async #catchUp(signal: AbortSignal): Promise<void> {
    const { mode, agentId } = this.#standing;
    if (agentId !== undefined) await catchUp(this.#feeds.atAgent(agentId), signal);
    else if (mode === 'online') await catchUp(this.#feeds.atMetadata(), signal);
  }

  async #followMetadata(signal: AbortSignal): Promise<void> {
    await this.#untilLooked(signal);
    await this.#repeat(signal, () => followFeed(this.#feeds.atMetadata(), signal));
  }

  /** No feed is read before the folder was looked at; see `SyncLoopParts.onPlaces`. */
  async #untilLooked(signal: AbortSignal): Promise<void> {
    if (this.#places === undefined) await this.#looked.arm(signal);
    signal.throwIfAborted();
  }

  async #followAgents(signal: AbortSignal): Promise<void> {
    await this.#untilLooked(signal);
    const { premises, context } = this.parts;
    const following = (agentId: AgentId): FeedFollowerParts => this.#feeds.atAgent(agentId);
    const { clock } = context;
    return followAgents({ ...this.connections, premises, standing: this.#standing, clock, following }, signal);
  }

  #followPeers(peers: PeerNetwork, signal: AbortSignal): Promise<void> {
    const following = (peer: PeerFeed): FeedFollowerParts => this.#feeds.atPeer(peer);
    return followPeers({ ...this.parts.context, standing: this.#standing, peers, following }, signal);
  }

  #awaitRelay(signal: AbortSignal): Promise<void> {
    const { store, context } = this.parts;
    return awaitRelay(
      { standing: this.#standing, store, inbox: this.#inbox, owed: this.#owed, clock: context.clock },
      signal,
    );
  }

  async #watchAssignments(signal: AbortSignal): Promise<never> {
    const { namespace } = this.parts;
    const { metadata, agents, kept } = this.connections;
    const request = { namespaceName: namespace };
    for await (const { assignments } of metadata.account.watchAssignments(request, { signal })) {
      const assignment = onlyAssignment(namespace, assignments);
      agents.update(assignment);
      this.#inbox.turn();
      // What cannot be kept is missed only by a start while metadata is away.
      await kept.keep(assignment).catch(() => undefined);
    }
    throw new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'metadata ended the watch of assignments');
  }

  #startWatch(): Promise<FolderWatch> {
    const { sight, reporter } = this.parts;
    // Watched or not, all of the folder is synced: what is not hinted at is found by looking.
    return sight.startWatch((problem) => reporter.problem({ name: '.', problem, isSynced: true }));
  }

  async #passOnHints(watch: FolderWatch, signal: AbortSignal): Promise<void> {
    for (;;) this.#inbox.hint(await watch.next(signal));
  }

  #connected(mode: SyncMode): void {
    this.#inbox.connected(mode === 'online');
    this.parts.reporter.mode(mode);
    this.#noteMode(mode);
  }

  #noteMode(mode: SyncMode): void {
    // It is for whoever looks at the folder: the sync goes on without.
    this.#noted = this.#noted.then(() => this.parts.store.noteMode(mode)).catch(() => undefined);
  }

  /** Repeats a call to metadata that never ends well, until `signal` aborts. */
  #repeat(signal: AbortSignal, call: () => Promise<void>): Promise<void> {
    const options = retryingOf(this.parts, signal);
    const onRetry = (error: DrystoneError, delayMs: number): void => {
      this.connections.reach.failed(error);
      // While an agent or peers stand in there is nothing to wait for.
      const { mode } = this.#standing;
      if (mode === 'online' || mode === 'alone') options.onRetry?.(error, delayMs);
    };
    return withRetries({ ...options, onRetry }, call);
  }
}
