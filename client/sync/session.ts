import { join } from 'node:path';
import { withRetries, type RetryOptions } from '../../common/concurrency/retry.js';
import type { DrystoneError } from '../../common/errors.js';
import { keepRenewed } from '../../common/identity/renewal.js';
import type { AgentId, NamespaceName, PremisesName } from '../../common/ids.js';
import { clientLimits, retryLimits } from '../../common/limits.js';
import type { ProgramContext } from '../../common/program/context.js';
import { openChannel } from '../../common/rpc/client.js';
import { agentTransfers } from '../act/agent-transfers.js';
import type { Disk } from '../act/disk/disk-task.js';
import { runTogether } from '../act/run-together.js';
import { noteOffers } from '../act/upload/note-offers.js';
import { AccessTokens } from '../connection/access-tokens.js';
import { AgentDirectory } from '../connection/agent-directory.js';
import { explainUnknown, onlyAssignment } from '../connection/assignment.js';
import { renewalOf, type Device } from '../connection/device.js';
import { KeptAssignment } from '../connection/kept-assignment.js';
import { tokenKeeperIn } from '../connection/kept-token.js';
import { connectMetadata, type MetadataCalls } from '../connection/metadata-calls.js';
import type { Cutter } from '../observe/cutter.js';
import { STATE_DIRECTORY } from '../observe/ignore-rules.js';
import { TreeScanner } from '../observe/scan-tree.js';
import { TreeWatch } from '../observe/watch-tree.js';
import { LocalBlockIndex } from '../state/local-block-index.js';
import { StateWriter } from '../state/state-writer.js';
import type { TreeStore } from '../state/tree-store.js';
import type { SyncTally } from '../tally.js';
import { MetadataReach } from '../upstream/metadata-reach.js';
import { awaitRelay } from './await-relay.js';
import { Connection } from './connection.js';
import { catchUp, followFeed } from './feed-follower.js';
import { followAgents } from './follow-agents.js';
import { Inbox } from './inbox.js';
import { openNamespace, type OpenNamespace } from './open-namespace.js';
import type { ProgressReporter } from './progress-reporter.js';
import { SyncLoop } from './sync-loop.js';

export interface SessionParts {
  /** Absolute. */
  readonly root: string;
  readonly namespace: NamespaceName;
  readonly metadata: string;
  readonly premises: PremisesName | undefined;
  readonly once: boolean;
  readonly device: Device;
  /** Where the device's certificate is renewed. */
  readonly homeDir: string;
  readonly store: TreeStore;
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
 * runs once. Meanwhile the device's certificate is renewed in time. Returns when the loop is done; raises what `signal` aborts
 * with, and what cannot be mended by trying again: that the device or the membership is gone too.
 */
export async function runSession(parts: SessionParts, signal: AbortSignal): Promise<void> {
  const { context, namespace, once, root } = parts;
  const { transport } = parts.device;
  const channel = openChannel(parts.metadata, transport.channelTo('metadata'));
  const metadata = connectMetadata(channel);
  const reach = new MetadataReach(context.clock);
  const stateDirectory = join(root, STATE_DIRECTORY);
  const kept = new KeptAssignment(stateDirectory);
  const keeper = tokenKeeperIn(stateDirectory);
  const isAway = (): boolean => reach.isAway;
  const tokens = new AccessTokens({ account: metadata.account, clock: context.clock, keeper, isAway });
  const agents = new AgentDirectory(transport, tokens, context.clock);
  const ended = new AbortController();
  const renewal = keepRenewed(renewalOf(parts.device, parts, context), AbortSignal.any([signal, ended.signal]));
  try {
    await tokens.restore();
    const retrying = retryingOf(parts, (error) => reach.failed(error), signal);
    const opening = { ...parts, metadata, random: context.random, reach, kept: once ? undefined : kept, retrying };
    const opened = await openNamespace(opening, signal);
    agents.update(opened.assignment);
    await new Session(parts, { ...opened, metadata, agents, reach, kept }).run(signal);
  } catch (thrown) {
    throw explainUnknown(namespace, thrown);
  } finally {
    ended.abort();
    await renewal;
    agents.close();
    channel.close();
  }
}

function retryingOf(
  { context, once, reporter }: SessionParts,
  onFailure: (error: DrystoneError) => void,
  signal: AbortSignal,
): RetryOptions {
  const { clock, random } = context;
  const onRetry = (error: DrystoneError, delayMs: number): void => {
    onFailure(error);
    reporter.waiting(error.message, delayMs);
  };
  return { clock, random, signal, attempts: once ? retryLimits.attempts : Infinity, onRetry };
}
