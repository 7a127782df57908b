import { DrystoneError } from '../../common/errors.js';
import { parseAgentId, type AgentId, type NamespaceId, type PremisesName } from '../../common/ids.js';
import { receiptToMessage } from '../../common/receipt-message.js';
import { cheapest, rankCandidates, type Candidate } from '../act/choose-target.js';
import type { AgentDirectory } from '../connection/agent-directory.js';
import type { MetadataCalls } from '../connection/metadata-calls.js';
import type { PushMessage, Target, Upstream } from './upstream.js';

export interface MetadataUpstreamParts {
  readonly namespaceId: NamespaceId;
  readonly agents: AgentDirectory;
  readonly metadata: Pick<MetadataCalls, 'presence' | 'feed'>;
  readonly premises: PremisesName | undefined;
}

/** The way to metadata itself: what it takes is committed. It knows which agent lacks which block. */
export function metadataUpstream(parts: MetadataUpstreamParts): Upstream {
  const { namespaceId, metadata } = parts;
  return {
    isProvisional: false,
    takesBlocks: true,
    chooseTarget: (sample, signal) => chooseTarget(parts, sample, signal),
    async *push(messages, signal) {
      yield* metadata.feed.push(requests(namespaceId, messages), { signal });
    },
  };
}

async function* requests(namespaceId: NamespaceId, messages: AsyncIterable<PushMessage>) {
  for await (const { items, receipts } of messages) {
    yield { namespaceId, items: [...items], receipts: receipts.map(receiptToMessage), endorsement: undefined };
  }
}

/**
 * Chooses among the agents that hold the namespace: the nearest that answer, and of several the one that lacks the fewest
 * of the sample.
 */
async function chooseTarget(parts: MetadataUpstreamParts, sample: Uint8Array, signal: AbortSignal): Promise<Target> {
  const { agents, premises } = parts;
  const [tier = []] = rankCandidates(agents.candidates(), 'store', premises);
  const candidate = tier.length > 1 ? cheapest(tier, await countMissing(parts, sample, signal)) : tier[0];
  if (candidate === undefined) {
    throw new DrystoneError('UNAVAILABLE', 'AGENTS_TOO_FEW', 'no agent holds the namespace; assign one to it');
  }
  const { agentId } = candidate;
  return {
    agentId,
    blocks: agents.blocksOf(agentId),
    missing: (lists, together) => findMissing(parts, agentId, lists, together),
    onFailure: (error) => {
      agents.noteFailure(agentId, error);
      return agents.hasTaker;
    },
  };
}

async function* findMissing(
  { metadata, namespaceId }: MetadataUpstreamParts,
  targetAgentId: AgentId,
  lists: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  async function* questions() {
    for await (const hashes of lists) yield { namespaceId, targetAgentId, hashes };
  }
  for await (const { missingHashes } of metadata.presence.findMissing(questions(), { signal })) yield missingHashes;
}

async function countMissing(
  { metadata, namespaceId }: MetadataUpstreamParts,
  hashes: Uint8Array,
  signal: AbortSignal,
): Promise<Map<Candidate['agentId'], number>> {
  const counts = new Map<AgentId, number>();
  const question = [{ namespaceId, targetAgentId: '', hashes }];
  for await (const { candidates } of metadata.presence.findMissing(asyncOf(question), { signal })) {
    for (const { agentId, missingCount } of candidates) {
      counts.set(parseAgentId('candidates.agent_id', agentId), missingCount);
    }
  }
  return counts;
}

async function* asyncOf<T>(values: Iterable<T>): AsyncGenerator<T, void, undefined> {
  yield* values;
}
