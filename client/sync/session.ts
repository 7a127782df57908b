import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import type { TextKeeper } from '../../common/files/text-keeper.js';
import { AccessTokenVerifier } from '../../common/identity/access-tokens.js';
import type { DeviceId, NamespaceName, PremisesName } from '../../common/ids.js';
import type { ProgramContext } from '../../common/program/context.js';
import type { Disk } from '../act/disk/disk-task.js';
import { AccessTokens } from '../connection/access-tokens.js';
import { AgentDirectory } from '../connection/agent-directory.js';
import { explainUnknown } from '../connection/assignment.js';
import type { Connect } from '../connection/connect.js';
import { KeptAssignment } from '../connection/kept-assignment.js';
import { tokenKeeperIn } from '../connection/kept-token.js';
import type { Bandwidth } from '../connection/limited-block-client.js';
import { connectMetadata } from '../connection/metadata-calls.js';
import type { Cutter } from '../observe/cutter.js';
import type { FolderSight } from '../observe/folder-sight.js';
import { STATE_DIRECTORY } from '../observe/ignore-rules.js';
import type { OpenPeers } from '../peers/open-peers.js';
import type { TreeStore } from '../state/tree-store.js';
import type { SyncTally } from '../tally.js';
import { MetadataReach } from '../upstream/metadata-reach.js';
import { openNamespace } from './open-namespace.js';
import type { ProgressReporter } from './progress-reporter.js';
import { retryingOf } from './retrying.js';
import { SessionTasks } from './session-tasks.js';

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
  /** This device, and the private key that its id follows from. */
  readonly deviceId: DeviceId;
  readonly signingKey: KeyObject;
  /** The machine's name: what tells the folder from one at the same place on another. */
  readonly host: string;
  /** Opens channels as this device. */
  readonly connect: Connect;
  readonly sight: FolderSight;
  readonly store: TreeStore;
  /** Where the folder's state keeps what metadata last said. */
  readonly texts: TextKeeper;
  readonly cutter: Cutter;
  readonly disk: Disk;
  readonly tally: SyncTally;
  readonly reporter: ProgressReporter;
  readonly context: ProgramContext;
}

/**
 * One sync from its first word with metadata, or what that said last, to its end: the loop, and beside it what feeds it, the
 * feeds, the assignments and the folder's watcher. Each of these starts over by itself when its line breaks: for ever, or,
 * when the sync runs once, `retryLimits.attempts` times. While metadata is away an agent stands in for it, unless the sync
 * runs once. Returns when the loop is done; raises what `signal` aborts with, and what cannot be mended by trying again: that
 * the device or the membership is gone too.
 */
export async function runSession(parts: SessionParts, signal: AbortSignal): Promise<void> {
  const { context, namespace, once, connect, root, texts } = parts;
  const { clock, random } = context;
  const channel = connect(parts.metadata, 'metadata');
  const metadata = connectMetadata(channel);
  const reach = new MetadataReach(clock);
  const stateDirectory = join(root, STATE_DIRECTORY);
  const kept = new KeptAssignment(stateDirectory, texts);
  const keeper = tokenKeeperIn(stateDirectory, texts);
  const verifier = new AccessTokenVerifier(clock);
  const tokens = new AccessTokens({
    account: metadata.account,
    clock,
    keeper,
    onTokenKeys: (keys) => verifier.replaceKeys(keys),
    isAway: () => reach.isAway,
  });
  const agents = new AgentDirectory(connect, tokens, clock, parts.bandwidth);
  try {
    await tokens.restore();
    const retrying = retryingOf(parts, signal);
    const opening = { ...parts, metadata, random, reach, kept: once ? undefined : kept, retrying };
    const { assignment, ...opened } = await openNamespace(opening, signal);
    agents.update(assignment);
    await new SessionTasks(parts, { ...opened, metadata, tokens, verifier, agents, reach, kept }).run(signal);
  } catch (thrown) {
    throw explainUnknown(namespace, thrown);
  } finally {
    agents.close();
    channel.close();
  }
}
