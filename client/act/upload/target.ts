import { DrystoneError } from '../../../common/errors.js';
import { parseAgentId, type AgentId, type NamespaceId, type PremisesName } from '../../../common/ids.js';
import type { BlockClient } from '../../../server/block-client.js';
import type { AgentDirectory } from '../../connection/agent-directory.js';
import type { MetadataCalls } from '../../connection/metadata-calls.js';
import { cheapest, rankCandidates, type Candidate } from '../choose-target.js';

/** The agent that an upload goes to. */
export interface Target {
  readonly agentId: AgentId;
  readonly blocks: BlockClient;
  /** It broke off: the next upload had better go elsewhere. */
  readonly onFailure: (error: DrystoneError) => void;
}

export interface TargetParts {
  readonly namespaceId: NamespaceId;
  readonly agents: AgentDirectory;
  readonly presence: MetadataCalls['presence'];
  readonly premises: PremisesName | undefined;
}

/**
 * Chooses among the agents that hold the namespace: the nearest that answer, and of several the one that lacks the fewest
 * of `sample`, packed hashes of the first blocks to be uploaded. Raises UNAVAILABLE (AGENTS_TOO_FEW) where none holds it.
 */
export async function chooseTarget(parts: TargetParts, sample: Uint8Array, signal: AbortSignal): Promise<Target> {
  const { agents, premises } = parts;
  const [tier = []] = rankCandidates(agents.candidates(), 'store', premises);
  const candidate = tier.length > 1 ? cheapest(tier, await countMissing(parts, sample, signal)) : tier[0];
  if (candidate === undefined) {
    throw new DrystoneError('UNAVAILABLE', 'AGENTS_TOO_FEW', 'no agent holds the namespace; assign one to it');
  }
  const { agentId } = candidate;
  return { agentId, blocks: agents.blocksOf(agentId), onFailure: (error) => agents.noteFailure(agentId, error) };
}

async function countMissing(
  { presence, namespaceId }: TargetParts,
  hashes: Uint8Array,
  signal: AbortSignal,
): Promise<Map<Candidate['agentId'], number>> {
  const counts = new Map<AgentId, number>();
  const question = [{ namespaceId, targetAgentId: '', hashes }];
  for await (const { candidates } of presence.findMissing(asyncOf(question), { signal })) {
    for (const { agentId, missingCount } of candidates) {
      counts.set(parseAgentId('candidates.agent_id', agentId), missingCount);
    }
  }
  return counts;
}

async function* asyncOf<T>(values: Iterable<T>): AsyncGenerator<T, void, undefined> {
  yield* values;
}
