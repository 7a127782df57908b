import type { Clock } from '../../common/clock.js';
import { anySignal } from '../../common/concurrency/any-signal.js';
import { toDrystoneError } from '../../common/errors.js';
import type { AgentId, PremisesName } from '../../common/ids.js';
import { clientLimits } from '../../common/limits.js';
import { rankCandidates } from '../act/choose-target.js';
import type { AgentDirectory } from '../connection/agent-directory.js';
import type { MetadataReach } from '../upstream/metadata-reach.js';
import type { Standing } from '../upstream/standing.js';
import { followFeed, type FeedFollowerParts } from './feed-follower.js';

export interface AgentsFollowerParts {
  readonly reach: MetadataReach;
  readonly standing: Standing;
  readonly agents: Pick<AgentDirectory, 'candidates' | 'noteFailure'>;
  readonly premises: PremisesName | undefined;
  readonly clock: Clock;
  /** How the feed of an agent is followed; may raise where it holds the namespace no longer. */
  readonly following: (agentId: AgentId) => FeedFollowerParts;
}

/**
 * Has an agent stand in for metadata while that is away: the nearest that answers, whose feed is followed meanwhile. Returns
 * when `signal` aborts; that agents fail, or refuse, is no reason to end.
 */
export async function followAgents(parts: AgentsFollowerParts, signal: AbortSignal): Promise<void> {
  const { reach } = parts;
  while (!signal.aborted) {
    await reach.untilAway(signal);
    if (reach.isAway) await followWhileAway(parts, anySignal([signal, reach.back]));
  }
}

async function followWhileAway(parts: AgentsFollowerParts, signal: AbortSignal): Promise<void> {
  const { agents, standing, clock, premises } = parts;
  while (!signal.aborted) {
    const agentId = nearest(agents, premises);
    if (agentId === undefined) standing.deserted();
    else await followUntilFailure(parts, agentId, signal);
    await clock.sleep(clientLimits.standInRetryMs, signal).catch(() => undefined);
  }
}

/** The agent that all clients of a site choose: of those that do not fail the nearest, and of these the smallest id. */
function nearest(agents: AgentsFollowerParts['agents'], premises: PremisesName | undefined): AgentId | undefined {
  const answering = agents.candidates().filter(({ isFailing }) => !isFailing);
  const [tier = []] = rankCandidates(answering, 'store', premises);
  return tier.map(({ agentId }) => agentId).sort()[0];
}

async function followUntilFailure(
  { agents, standing, following }: AgentsFollowerParts,
  agentId: AgentId,
  signal: AbortSignal,
): Promise<void> {
  try {
    const feed = following(agentId);
    const onPage: FeedFollowerParts['onPage'] = (changed, isCaughtUp) => {
      feed.onPage(changed, isCaughtUp);
      if (isCaughtUp && !signal.aborted) standing.atAgent(agentId);
    };
    await followFeed({ ...feed, onPage }, signal);
  } catch (thrown) {
    if (!signal.aborted) agents.noteFailure(agentId, toDrystoneError(thrown));
  }
}
