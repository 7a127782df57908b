import { join } from 'node:path';
import { DrystoneError } from '../../common/errors.js';
import { judgedAtLastWord } from '../../common/identity/offline-grace.js';
import { AccessTokens } from '../connection/access-tokens.js';
import { AgentDirectory } from '../connection/agent-directory.js';
import { explainUnknown } from '../connection/assignment.js';
import { KeptAssignment } from '../connection/kept-assignment.js';
import { tokenKeeperIn } from '../connection/kept-token.js';
import { connectMetadata } from '../connection/metadata-calls.js';
import { STATE_DIRECTORY } from '../observe/ignore-rules.js';
import { MetadataReach } from '../upstream/metadata-reach.js';
import { becomeAnother, openNamespace } from './open-namespace.js';
import { retryingOf } from './retrying.js';
import type { SessionParts } from './session-parts.js';
import { SessionTasks } from './session-tasks.js';

/**
 * A sync of a folder, see {@link runAs}. Where it turns out that the folder's state is an older copy of one that went on, or
 * that there are two of it, the folder begins anew as another one: what it and its former self have both changed is a conflict
 * like any other.
 */
export async function runSession(parts: SessionParts, signal: AbortSignal): Promise<void> {
  const { store, reporter, context } = parts;
  for (;;) {
    try {
      await runAs(parts, signal);
      return;
    } catch (thrown) {
      if (!(thrown instanceof DrystoneError) || thrown.reason !== 'STATE_NOT_ALONE') throw thrown;
      await becomeAnother({ store, random: context.random });
      const problem =
        'it has changes that its state does not know: one of its state and metadata was brought back from an older copy, or the state is in use elsewhere as well; ' +
        'files that have changed on both sides are kept as conflicted copies';
      reporter.problem({ name: '.', problem, isSynced: true });
    }
  }
}

/**
 * One sync from its first word with metadata, or what that said last, to its end: the loop, and beside it what feeds it, the
 * feeds, the assignments and the folder's watcher. Each of these starts over by itself when its line breaks: for ever, or,
 * when the sync runs once, `retryLimits.attempts` times. While metadata is away an agent stands in for it, unless the sync
 * runs once. Returns when the loop is done; raises what `signal` aborts with, and what cannot be mended by trying again: that
 * the device or the membership is gone too.
 */
async function runAs(parts: SessionParts, signal: AbortSignal): Promise<void> {
  const { context, namespace, once, connect, root, texts } = parts;
  const { clock, random } = context;
  const channel = connect(parts.metadata, 'metadata');
  const metadata = connectMetadata(channel);
  const reach = new MetadataReach(clock);
  const stateDirectory = join(root, STATE_DIRECTORY);
  const kept = new KeptAssignment(stateDirectory, texts);
  const keeper = tokenKeeperIn(stateDirectory, texts);
  const tokenTime = judgedAtLastWord(clock, reach);
  const verifier = parts.verifierAt(tokenTime);
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
    await new SessionTasks(parts, { ...opened, metadata, tokens, verifier, tokenTime, agents, reach, kept }).run(
      signal,
    );
  } catch (thrown) {
    throw explainUnknown(namespace, thrown);
  } finally {
    agents.close();
    channel.close();
  }
}
