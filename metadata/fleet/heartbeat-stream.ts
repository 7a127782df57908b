import type { ChangeSignal } from '../../common/concurrency/change-signal.js';
import { DrystoneError, invalidArgument } from '../../common/errors.js';
import type { TokenKey } from '../../common/identity/access-tokens.js';
import type { AgentIdentity } from '../../common/identity/identity.js';
import { parseAgentId, type AgentId } from '../../common/ids.js';
import {
  type AssignedNamespace,
  type HeartbeatRequest,
  HeartbeatResponse,
} from '../../proto/gen/drystone/metadata/v1/fleet.js';
import { AgentState } from '../../proto/gen/drystone/metadata/v1/account.js';
import type { DirectoryStore } from '../store/contract.js';
import { StreamField } from '../requests/stream-field.js';
import type { Access } from '../trust/access.js';
import type { AgentSession } from './agent-session.js';
import type { AgentReport } from './agent-report.js';
import type { Fleet } from './fleet.js';

export interface HeartbeatParts {
  readonly access: Access;
  readonly directory: DirectoryStore;
  readonly fleet: Fleet;
  readonly tokenKeys: { readonly all: readonly TokenKey[] };
  /** Notified when assignments or the keys of access tokens have changed, or something was revoked. */
  readonly directoryChanged: ChangeSignal;
}

/**
 * One call of FleetService.Heartbeat: reports go up, and the agent's assignments come down, with the keys of access
 * tokens, after the first of them and whenever they have changed.
 */
export class HeartbeatStream {
  readonly #agent = new StreamField('agent_id', parseAgentId);
  readonly #ended = new AbortController();
  #session: AgentSession | undefined;

  constructor(
    readonly parts: HeartbeatParts,
    readonly caller: AgentIdentity,
  ) {}

  async *run(requests: AsyncIterable<HeartbeatRequest>, signal: AbortSignal): AsyncGenerator<HeartbeatResponse> {
    const end = (): void => this.#ended.abort();
    signal.addEventListener('abort', end, { once: true });
    const iterator = requests[Symbol.asyncIterator]();
    try {
      const first = await iterator.next();
      if (first.done === true) return;
      const session = await this.#join(first.value);
      session.replaced.addEventListener('abort', end, { once: true });
      const reading = this.#readRest(iterator, session).finally(end);
      // Raised below, once the loop has noticed the end.
      reading.catch(() => undefined);
      yield* this.#instructions();
      if (session.replaced.aborted) throw replaced();
      if (!signal.aborted) await reading;
    } finally {
      signal.removeEventListener('abort', end);
      this.#session?.leave();
    }
  }

  async #join(request: HeartbeatRequest): Promise<AgentSession> {
    const { directory, fleet } = this.parts;
    const agent = this.#agent.of(request.agentId);
    if (agent !== this.caller.agentId) throw otherAgent(agent, this.caller);
    const report = reportOf(request);
    const [known] = await directory.getAgents([agent]);
    if (known === undefined || known.address === '') throw notRegistered(agent);
    const session = fleet.join(agent);
    this.#session = session;
    session.report(report);
    return session;
  }

  async #readRest(requests: AsyncIterator<HeartbeatRequest>, session: AgentSession): Promise<void> {
    for (let next = await requests.next(); next.done !== true; next = await requests.next()) {
      this.#agent.of(next.value.agentId);
      session.report(reportOf(next.value));
    }
  }

  async *#instructions(): AsyncGenerator<HeartbeatResponse> {
    const { access, directoryChanged } = this.parts;
    let told: Uint8Array | undefined;
    while (!this.#ended.signal.aborted) {
      const changed = directoryChanged.arm(this.#ended.signal);
      await access.requireUnrevoked(this.caller);
      const answer = await this.#read();
      const encoded = HeartbeatResponse.encode(answer).finish();
      if (told === undefined || Buffer.compare(told, encoded) !== 0) {
        told = encoded;
        yield answer;
      }
      await changed;
    }
  }

  async #read(): Promise<HeartbeatResponse> {
    const { directory, tokenKeys } = this.parts;
    const holdings = await directory.listHoldings(this.caller.agentId);
    return {
      assignments: holdings.map(assignedNamespace),
      tokenKeys: tokenKeys.all.map(({ id, publicKey }) => ({ keyId: id, publicKey })),
    };
  }
}

function assignedNamespace(row: { id: string; name: string; epoch: number }): AssignedNamespace {
  return { namespaceId: row.id, namespaceName: row.name, epoch: BigInt(row.epoch) };
}

function reportOf(request: HeartbeatRequest): AgentReport {
  return {
    state: stateOf(request.state),
    freeBytes: parseAmount('free_bytes', request.freeBytes),
    totalBytes: parseAmount('total_bytes', request.totalBytes),
    freeFloorBytes: parseAmount('free_floor_bytes', request.freeFloorBytes),
    blockCount: parseAmount('block_count', request.blockCount),
    blockBytes: parseAmount('block_bytes', request.blockBytes),
  };
}

/** What a number holds exactly: rounded up, it might not fit into an answer any more. */
function parseAmount(field: string, amount: bigint): number {
  if (amount > BigInt(Number.MAX_SAFE_INTEGER)) throw invalidArgument(field, 'must be at most 2^53 - 1');
  return Number(amount);
}

function stateOf(state: AgentState): AgentReport['state'] {
  if (state === AgentState.ONLINE) return 'online';
  if (state === AgentState.DRAINING) return 'draining';
  throw invalidArgument('state', 'must be ONLINE or DRAINING');
}

function otherAgent(agent: AgentId, caller: AgentIdentity): DrystoneError {
  const message = `the heartbeat is of agent ${agent}, the certificate of ${caller.agentId}; an agent speaks for itself`;
  return new DrystoneError('PERMISSION_DENIED', 'ROLE_INSUFFICIENT', message);
}

function notRegistered(agent: AgentId): DrystoneError {
  const message = `agent ${agent} has not said where it is reached; it has to register first`;
  return new DrystoneError('NOT_FOUND', 'AGENT_UNKNOWN', message);
}

function replaced(): DrystoneError {
  const message = 'the agent has opened another heartbeat stream; where it has not, two agents run with one key';
  return new DrystoneError('ABORTED', 'HEARTBEAT_REPLACED', message);
}
