import type { KeyObject } from 'node:crypto';
import type { Clock } from '../../common/clock.js';
import { encodeWireItems, endorse } from '../../common/feed/endorsement.js';
import type { AgentId, NamespaceId } from '../../common/ids.js';
import type { AgentDirectory } from '../connection/agent-directory.js';
import type { PushMessage, Upstream } from './upstream.js';

export interface AgentUpstreamParts {
  readonly namespaceId: NamespaceId;
  readonly agentId: AgentId;
  readonly agents: AgentDirectory;
  /** The device's: it signs what the agent is to carry to metadata. */
  readonly privateKey: KeyObject;
  readonly clock: Clock;
}

/**
 * The way to an agent, for as long as metadata is away: blocks and items go to the same one, which knows by itself what it
 * lacks, keeps what it takes, and carries it to metadata later.
 */
export function agentUpstream(parts: AgentUpstreamParts): Upstream {
  const { namespaceId, agentId, agents } = parts;
  return {
    isProvisional: true,
    takesBlocks: true,
    chooseTarget() {
      const blocks = agents.blocksOf(agentId);
      return Promise.resolve({
        agentId,
        blocks,
        missing: (lists, signal) => blocks.missing(namespaceId, lists, { signal }),
        onFailure: (error) => {
          agents.noteFailure(agentId, error);
          return false;
        },
      });
    },
    async *push(messages, signal) {
      yield* agents.feedOf(agentId, namespaceId).push(endorsed(parts, messages), { signal });
    },
  };
}

async function* endorsed({ namespaceId, privateKey, clock }: AgentUpstreamParts, messages: AsyncIterable<PushMessage>) {
  for await (const message of messages) {
    const items = [...message.items];
    const claim = { namespaceId, pushedAtMs: Math.floor(clock.nowMs()), items: encodeWireItems(items) };
    yield { namespaceId, items, receipts: [], endorsement: endorse(claim, privateKey) };
  }
}
