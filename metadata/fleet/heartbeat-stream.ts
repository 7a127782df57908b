import type { ChangeSignal } from '../../common/concurrency/change-signal.js';
import { DrystoneError, invalidArgument } from '../../common/errors.js';
import { parseAgentId, type AgentId } from '../../common/ids.js';
import {
  type AssignedNamespace,
  type HeartbeatRequest,
  HeartbeatResponse,
} from '../../proto/gen/drystone/metadata/v1/fleet.js';
import { AgentState } from '../../proto/gen/drystone/metadata/v1/account.js';
import type { DirectoryStore } from '../store/contract.js';
import { agentUnknown } from '../store/store-errors.js';
import { StreamField } from '../requests/stream-field.js';
import type { AgentSession } from './agent-session.js';
import type { AgentReport } from './agent-report.js';
import type { Fleet } from './fleet.js';

export interface HeartbeatParts {
  readonly directory: DirectoryStore;
  readonly fleet: Fleet;
  readonly directoryChanged: ChangeSignal;
}

/**
 * One call of FleetService.Heartbeat: reports go up, and the agent's assignments come down after the first of them and
 * whenever they have changed.
 */
export class HeartbeatStream {
  readonly #agent = new StreamField('agent_id', parseAgentId);
  readonly #ended = new AbortController();
  #session: AgentSession | undefined;

  constructor(readonly parts: HeartbeatParts) {}

  async *run(requests: AsyncIterable<HeartbeatRequest>, signal: AbortSignal): AsyncGenerator<HeartbeatResponse> {
    const end = (): void => this.#ended.abort();
    signal.addEventListener('abort', end, { once: true });
    const iterator = requests[Symbol.asyncIterator]();
    try {
      const first = await iterator.next();
      if (first.done === true) return;
      const { agent, session } = await this.#join(first.value);
      session.replaced.addEventListener('abort', end, { once: true });
      const reading = this.#readRest(iterator, session).finally(end);
      // Raised below, once the loop has noticed the end.
      reading.catch(() => undefined);
      yield* this.#assignments(agent);
      if (session.replaced.aborted) throw replaced();
      if (!signal.aborted) await reading;
    } finally {
      signal.removeEventListener('abort', end);
      this.#session?.leave();
    }
  }

  async #join(request: HeartbeatRequest): Promise<{ agent: AgentId; session: AgentSession }> {
    const agent = this.#agent.of(request.agentId);
    const report = reportOf(request);
    const [known] = await this.parts.directory.getAgents([agent]);
    if (known === undefined) throw agentUnknown(agent);
    const session = this.parts.fleet.join(agent);
    this.#session = session;
    session.report(report);
    return { agent, session };
  }

  async #readRest(requests: AsyncIterator<HeartbeatRequest>, session: AgentSession): Promise<void> {
    for (let next = await requests.next(); next.done !== true; next = await requests.next()) {
      this.#agent.of(next.value.agentId);
      session.report(reportOf(next.value));
    }
  }

  async *#assignments(agent: AgentId): AsyncGenerator<HeartbeatResponse> {
    const { directory, directoryChanged } = this.parts;
    let told: Uint8Array | undefined;
    while (!this.#ended.signal.aborted) {
      const changed = directoryChanged.arm(this.#ended.signal);
      const answer = { assignments: (await directory.listHoldings(agent)).map(assignedNamespace) };
      const encoded = HeartbeatResponse.encode(answer).finish();
      if (told === undefined || Buffer.compare(told, encoded) !== 0) {
        told = encoded;
        yield answer;
      }
      await changed;
    }
  }
}

function assignedNamespace(row: { id: string; name: string; epoch: number }): AssignedNamespace {
  return { namespaceId: row.id, namespaceName: row.name, epoch: BigInt(row.epoch) };
}

function reportOf(request: HeartbeatRequest): AgentReport {
  return {
    state: stateOf(request.state),
    freeBytes: Number(request.freeBytes),
    totalBytes: Number(request.totalBytes),
    freeFloorBytes: Number(request.freeFloorBytes),
    blockCount: Number(request.blockCount),
    blockBytes: Number(request.blockBytes),
  };
}

function stateOf(state: AgentState): AgentReport['state'] {
  if (state === AgentState.ONLINE) return 'online';
  if (state === AgentState.DRAINING) return 'draining';
  throw invalidArgument('state', 'must be ONLINE or DRAINING');
}

function replaced(): DrystoneError {
  const message = 'the agent has opened another heartbeat stream; where it has not, two agents run with one key';
  return new DrystoneError('ABORTED', 'HEARTBEAT_REPLACED', message);
}
