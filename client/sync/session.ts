import { withRetries, type RetryOptions } from '../../common/concurrency/retry.js';
import { DrystoneError } from '../../common/errors.js';
import { AccessTokenVerifier } from '../../common/identity/access-tokens.js';
import {
  ID_BYTES,
  parseNamespaceId,
  replicaIdOf,
  type NamespaceId,
  type NamespaceName,
  type PremisesName,
  type ReplicaId,
} from '../../common/ids.js';
import { retryLimits } from '../../common/limits.js';
import type { ProgramContext } from '../../common/program/context.js';
import type { Assignment } from '../../proto/gen/drystone/metadata/v1/account.js';
import type { FolderPlaces } from '../act/folder-places.js';
import { agentTransfers } from '../act/agent-transfers.js';
import type { Disk } from '../act/disk/disk-task.js';
import { runTogether } from '../act/run-together.js';
import { noteOffers } from '../act/upload/note-offers.js';
import { AccessTokens } from '../connection/access-tokens.js';
import { AgentDirectory } from '../connection/agent-directory.js';
import { explainUnknown, onlyAssignment, readAssignment } from '../connection/assignment.js';
import type { Connect } from '../connection/connect.js';
import type { Device } from '../connection/device.js';
import type { Bandwidth } from '../connection/limited-block-client.js';
import { connectMetadata, type MetadataCalls } from '../connection/metadata-calls.js';
import type { Cutter } from '../observe/cutter.js';
import type { FolderSight, FolderWatch } from '../observe/folder-sight.js';
import type { OpenPeers } from '../peers/open-peers.js';
import type { PeerNetwork } from '../peers/peer-network.js';
import { LocalBlockIndex } from '../state/local-block-index.js';
import { StateWriter } from '../state/state-writer.js';
import type { TreeStore } from '../state/tree-store.js';
import type { SyncTally } from '../tally.js';
import { catchUp, followFeed, type FeedFollowerParts } from './feed-follower.js';
import { Inbox } from './inbox.js';
import type { ProgressReporter } from './progress-reporter.js';
import { SyncLoop } from './sync-loop.js';

export interface SessionParts {
  /** Absolute. */
  readonly root: string;
  readonly namespace: NamespaceName;
  readonly metadata: string;
  readonly premises: PremisesName | undefined;
  readonly once: boolean;
  /** Begins to share blocks with other endpoints; undefined where none are shared. */
  readonly peers: OpenPeers | undefined;
  readonly bandwidth: Bandwidth;
  readonly device: Pick<Device, 'id'>;
  /** The machine's name: what tells the folder from one at the same place on another. */
  readonly host: string;
  /** Opens channels as this device. */
  readonly connect: Connect;
  readonly sight: FolderSight;
  readonly store: TreeStore;
  readonly cutter: Cutter;
  readonly disk: Disk;
  readonly tally: SyncTally;
  readonly reporter: ProgressReporter;
  readonly context: ProgramContext;
}

/**
 * One sync from its first word with metadata to its end: the loop, and beside it what feeds it, the feed, the assignments
 * and the folder's watcher. Each of these starts over by itself when its line breaks: for ever, or, when the sync runs
 * once, `retryLimits.attempts` times. Returns when the loop is done; raises what `signal` aborts with, and what cannot be
 * mended by trying again: that the device or the membership is gone too.
 */
export async function runSession(parts: SessionParts, signal: AbortSignal): Promise<void> {
  const { context, namespace, store, connect } = parts;
  const channel = connect(parts.metadata, 'metadata');
  const metadata = connectMetadata(channel);
  const verifier = new AccessTokenVerifier(context.clock);
  const tokens = new AccessTokens(metadata.account, context.clock, (keys) => verifier.replaceKeys(keys));
  const agents = new AgentDirectory(connect, tokens, context.clock, parts.bandwidth);
  try {
    const assignment = await withRetries(retrying(parts, signal), () => readAssignment(namespace, metadata, signal));
    agents.update(assignment);
    const namespaceId = await claim(store, parts, assignment);
    await new Session(parts, { metadata, agents, tokens, verifier }, namespaceId).run(signal);
  } catch (thrown) {
    throw explainUnknown(namespace, thrown);
  } finally {
    agents.close();
    channel.close();
  }
}

/** The namespace's id, to which the folder is bound from now on. */
async function claim(
  store: TreeStore,
  { root, namespace, context }: SessionParts,
  assignment: Assignment,
): Promise<NamespaceId> {
  const namespaceId = parseNamespaceId('namespace_id', assignment.namespaceId);
  if (store.namespaceId === undefined) await store.claim(namespaceId, context.random.bytes(ID_BYTES).toString('hex'));
  if (store.namespaceId === namespaceId) return namespaceId;
  const advice = `choose another folder, or remove ${root}/.drystone to sync this one with ${namespace} from now on`;
  const message = `${root} is synced with another namespace (${store.namespaceId ?? 'none'}); ${advice}`;
  throw new DrystoneError('FAILED_PRECONDITION', 'FOLDER_OF_OTHER_NAMESPACE', message);
}

/** The folder as one that changes items. A copy of it, with its state, is another one: it lies elsewhere. */
function replicaOf({ store, host, root }: SessionParts): ReplicaId {
  return replicaIdOf('folder', store.nonce ?? '', host, root);
}

function retrying({ context, once, reporter }: SessionParts, signal: AbortSignal): RetryOptions {
  const { clock, random } = context;
  const onRetry = (error: DrystoneError, delayMs: number): void => reporter.waiting(error.message, delayMs);
  return { clock, random, signal, attempts: once ? retryLimits.attempts : Infinity, onRetry };
}

/** Whom a session speaks with. */
interface Connections {
  readonly metadata: MetadataCalls;
  readonly agents: AgentDirectory;
  readonly tokens: AccessTokens;
  /** Knows the keys with which access tokens are signed, as the last of our own came with them. */
  readonly verifier: AccessTokenVerifier;
}

class Session {
  readonly #inbox = new Inbox();
  readonly #index: LocalBlockIndex;
  readonly #peers: PeerNetwork | undefined;
  /** Where the items of the folder lie, as it was last looked at. */
  #places: FolderPlaces | undefined;

  constructor(
    private readonly parts: SessionParts,
    private readonly connections: Connections,
    private readonly namespaceId: NamespaceId,
  ) {
    this.#index = new LocalBlockIndex(parts.store.local);
    this.#peers = parts.peers?.({
      ...parts,
      ...connections,
      namespaceId,
      index: this.#index,
      absolutePath: (path) => this.#places?.absolutePath(path),
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    // The watch comes before the loop's first scan: a change between the two would be seen by neither.
    const watch = this.parts.once ? undefined : await this.#startWatch();
    try {
      await this.#runWith(watch, signal);
    } finally {
      await watch?.close();
    }
  }

  async #runWith(watch: FolderWatch | undefined, signal: AbortSignal): Promise<void> {
    const done = new AbortController();
    const tasks = [
      async (together: AbortSignal): Promise<void> => {
        await this.#loop().run(together);
        done.abort();
      },
      (together: AbortSignal) => this.#repeat(together, () => followFeed(this.#following(), together)),
      (together: AbortSignal) => this.#repeat(together, () => this.#watchAssignments(together)),
    ];
    const peers = this.#peers;
    if (peers !== undefined) tasks.push((together) => this.#repeat(together, () => peers.run(together)));
    if (watch !== undefined) tasks.push((together) => this.#passOnHints(watch, together));
    try {
      await runTogether(AbortSignal.any([signal, done.signal]), tasks);
    } catch (thrown) {
      if (signal.aborted || !done.signal.aborted) throw thrown;
    }
  }

  #loop(): SyncLoop {
    const { parts, namespaceId } = this;
    const { context, store, disk, tally, device } = parts;
    const index = this.#index;
    const transfers = agentTransfers({
      ...parts,
      ...this.connections,
      ...context,
      namespaceId,
      self: device.id,
      peers: this.#peers,
      isPaced: parts.bandwidth.down !== undefined,
      index,
      onOffer: (items) => noteOffers(items, store, index),
      onCursor: (cursor) => this.#inbox.committed(cursor),
    });
    return new SyncLoop({
      ...parts,
      device: device.id,
      replica: replicaOf(parts),
      clock: context.clock,
      random: context.random,
      scanner: parts.sight.scanner,
      inbox: this.#inbox,
      round: { disk, tally, transfers, writer: new StateWriter(store, index) },
      catchUp: (signal) => catchUp(this.#following(), signal),
      onPlaces: (places) => (this.#places = places),
    });
  }

  #following(): FeedFollowerParts {
    const { store } = this.parts;
    return {
      namespaceId: this.namespaceId,
      feed: this.connections.metadata.feed,
      store,
      onPage: (changed, isCaughtUp) => this.#inbox.feedRead(changed, isCaughtUp, store.cursor),
      onReset: () => this.#inbox.feedReset(),
    };
  }

  async #watchAssignments(signal: AbortSignal): Promise<never> {
    const { namespace } = this.parts;
    const { metadata, agents } = this.connections;
    const request = { namespaceName: namespace };
    for await (const { assignments } of metadata.account.watchAssignments(request, { signal })) {
      agents.update(onlyAssignment(namespace, assignments));
      this.#inbox.nudge();
    }
    throw new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'metadata ended the watch of assignments');
  }

  #startWatch(): Promise<FolderWatch> {
    const { sight, reporter } = this.parts;
    return sight.startWatch((problem) => reporter.problem({ name: '.', problem }));
  }

  async #passOnHints(watch: FolderWatch, signal: AbortSignal): Promise<void> {
    for (;;) this.#inbox.hint(await watch.next(signal));
  }

  /** Repeats a call that never ends well, until `signal` aborts. */
  #repeat(signal: AbortSignal, call: () => Promise<void>): Promise<void> {
    return withRetries(retrying(this.parts, signal), call);
  }
}
