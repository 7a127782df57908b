import type { Clock } from '../../common/clock.js';
import { DrystoneError } from '../../common/errors.js';
import { parseAgentId, parsePremisesName, type AgentId, type NamespaceId } from '../../common/ids.js';
import { clientLimits } from '../../common/limits.js';
import type { RpcChannel } from '../../common/rpc/client.js';
import {
  AgentState,
  type Assignment,
  type Candidate as WireCandidate,
} from '../../proto/gen/drystone/metadata/v1/account.js';
import { connectBlockServer, type BlockClient } from '../../server/block-client.js';
import type { Candidate } from '../act/choose-target.js';
import type { AccessTokens } from './access-tokens.js';
import type { Connect } from './connect.js';
import { authorizedFeed, type FeedCalls } from './feed-calls.js';
import { limitBandwidth, unlimited, type Bandwidth } from './limited-block-client.js';

interface KnownAgent {
  readonly candidate: Omit<Candidate, 'isFailing'>;
  /** Opened when first needed. */
  channel: RpcChannel | undefined;
  /** Until when others come before it, because it has failed; monotonic. */
  failingUntilMs: number;
}

/** The agents to which the namespace is assigned, as metadata last said, and the connections to them. */
export class AgentDirectory {
  readonly #agents = new Map<AgentId, KnownAgent>();

  constructor(
    private readonly connect: Connect,
    private readonly tokens: AccessTokens,
    private readonly clock: Clock,
    private readonly bandwidth: Bandwidth = unlimited,
  ) {}

  /** Takes in an assignment whole: what it does not name is forgotten and its connection closed. */
  update(assignment: Assignment): void {
    const candidates = assignment.candidates.map(candidateOf);
    const named = new Map(candidates.map((candidate) => [candidate.agentId, candidate]));
    for (const [agentId, agent] of this.#agents) {
      if (named.get(agentId)?.address === agent.candidate.address) continue;
      agent.channel?.close();
      this.#agents.delete(agentId);
    }
    for (const [agentId, candidate] of named) {
      const known = this.#agents.get(agentId);
      this.#agents.set(agentId, {
        channel: known?.channel,
        failingUntilMs: known?.failingUntilMs ?? -Infinity,
        candidate,
      });
    }
  }

  /** In no particular order. */
  candidates(): Candidate[] {
    const nowMs = this.clock.monotonicMs();
    return [...this.#agents.values()].map(({ candidate, failingUntilMs }) => {
      return { ...candidate, isFailing: nowMs < failingUntilMs };
    });
  }

  /** The agent's block service. */
  blocksOf(agentId: AgentId): BlockClient {
    const blocks = connectBlockServer(this.#channelTo(agentId), this.clock, (namespaceId, refused) =>
      this.tokens.tokenFor(namespaceId, refused),
    );
    return limitBandwidth(blocks, this.bandwidth);
  }

  /** The agent's feed of a namespace. */
  feedOf(agentId: AgentId, namespaceId: NamespaceId): FeedCalls {
    return authorizedFeed(this.#channelTo(agentId), () => this.tokens.tokenFor(namespaceId));
  }

  /**
   * The agent has failed us: for `clientLimits.agentPauseMs` others come first, and as much longer as it has asked for
   * itself. Where it was our access token that it refused, the next call has another.
   */
  noteFailure(agentId: AgentId, { code, details }: DrystoneError): void {
    if (code === 'UNAUTHENTICATED' || code === 'PERMISSION_DENIED') this.tokens.forget();
    const agent = this.#agents.get(agentId);
    if (agent === undefined) return;
    agent.failingUntilMs = this.clock.monotonicMs() + clientLimits.agentPauseMs + (details.retryAfterMs ?? 0);
  }

  /** Whether there is an agent that takes blocks, as far as is known. */
  get hasTaker(): boolean {
    return this.candidates().some(({ state, isFailing }) => state === 'online' && !isFailing);
  }

  close(): void {
    for (const { channel } of this.#agents.values()) channel?.close();
    this.#agents.clear();
  }

  #channelTo(agentId: AgentId): RpcChannel {
    const agent = this.#agents.get(agentId);
    if (agent === undefined) {
      throw new DrystoneError('UNAVAILABLE', 'AGENT_NOT_ASSIGNED', 'the agent no longer holds the namespace');
    }
    agent.channel ??= this.connect(agent.candidate.address, agentId);
    return agent.channel;
  }
}

function candidateOf({ agentId, premises, address, state }: WireCandidate): Omit<Candidate, 'isFailing'> {
  return {
    agentId: parseAgentId('candidates.agent_id', agentId),
    premises: parsePremisesName('candidates.premises', premises),
    address,
    state: stateOf(state),
  };
}

function stateOf(state: AgentState): Candidate['state'] {
  if (state === AgentState.ONLINE) return 'online';
  return state === AgentState.DRAINING ? 'draining' : 'offline';
}
