import type { Clock } from '../../common/clock.js';
import type { AgentId } from '../../common/ids.js';
import { metadataLimits } from '../../common/limits.js';
import type { AgentReport } from './agent-report.js';
import { AgentSession } from './agent-session.js';

/** Where an agent stands. */
export type AgentState = 'online' | 'draining' | 'offline';

/** What is known of an agent now. */
export interface AgentStatus {
  readonly state: AgentState;
  /** Its last word since the service began. */
  readonly report: AgentReport | undefined;
  /** Milliseconds since 1970 UTC; 0 where there was no heartbeat since the service began. */
  readonly lastHeartbeatAtMs: number;
}

interface Heard {
  readonly report: AgentReport;
  readonly atMs: number;
  readonly atMonotonicMs: number;
  /** The state that watchers were last told of. */
  told: AgentState;
}

const NEVER_HEARD: AgentStatus = { state: 'offline', report: undefined, lastHeartbeatAtMs: 0 };

/**
 * Which agents are there. An agent is as it said in its last heartbeat for `metadataLimits.offlineAfterMs`, and offline
 * from then on, whatever became of its stream. Nothing of this is stored: after a restart agents come back within one
 * reconnect.
 */
export class Fleet {
  readonly #heard = new Map<AgentId, Heard>();
  readonly #sessions = new Map<AgentId, AgentSession>();

  /** @param onStateChange called when the state of any agent has changed. */
  constructor(
    readonly clock: Clock,
    readonly onStateChange: () => void,
  ) {}

  /** Begins a heartbeat stream of an agent; another that is open is replaced. */
  join(agent: AgentId): AgentSession {
    this.#sessions.get(agent)?.replace();
    const session = new AgentSession(
      (report) => this.#hear(agent, report),
      () => {
        if (this.#sessions.get(agent) === session) this.#sessions.delete(agent);
      },
    );
    this.#sessions.set(agent, session);
    return session;
  }

  /** An agent has been revoked: what it said no longer counts. */
  forget(agent: AgentId): void {
    this.#sessions.get(agent)?.leave();
    if (this.#heard.delete(agent)) this.onStateChange();
  }

  statusOf(agent: AgentId): AgentStatus {
    const heard = this.#heard.get(agent);
    if (heard === undefined) return NEVER_HEARD;
    return { state: this.#stateOf(heard), report: heard.report, lastHeartbeatAtMs: heard.atMs };
  }

  /** How many agents are in each state, of those heard since the service began. */
  countByState(): Readonly<Record<AgentState, number>> {
    const counts = { online: 0, draining: 0, offline: 0 };
    for (const heard of this.#heard.values()) counts[this.#stateOf(heard)]++;
    return counts;
  }

  /** Notices agents that have fallen silent, until `signal` aborts. */
  async keepWatch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // A sleep that is interrupted is the end of the watch.
      await this.clock.sleep(metadataLimits.fleetSweepIntervalMs, signal).catch(() => undefined);
      const changed = [...this.#heard.values()].filter((heard) => this.#noteChange(heard));
      if (changed.length > 0) this.onStateChange();
    }
  }

  #hear(agent: AgentId, report: AgentReport): void {
    const told = this.#heard.get(agent)?.told ?? 'offline';
    const heard = { report, atMs: this.clock.nowMs(), atMonotonicMs: this.clock.monotonicMs(), told };
    this.#heard.set(agent, heard);
    if (this.#noteChange(heard)) this.onStateChange();
  }

  #stateOf({ report, atMonotonicMs }: Heard): AgentState {
    const isSilent = this.clock.monotonicMs() - atMonotonicMs > metadataLimits.offlineAfterMs;
    return isSilent ? 'offline' : report.state;
  }

  /** Whether the agent's state is another than watchers were told; from now on it is told. */
  #noteChange(heard: Heard): boolean {
    const state = this.#stateOf(heard);
    const changed = state !== heard.told;
    heard.told = state;
    return changed;
  }
}
