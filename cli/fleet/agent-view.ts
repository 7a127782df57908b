import { formatBytes } from '../../common/format-bytes.js';
import type { Agent } from '../../proto/gen/drystone/metadata/v1/admin.js';
import { AgentState } from '../../proto/gen/drystone/metadata/v1/account.js';
import { formatTable } from '../output/table.js';
import { formatCount, formatDuration } from '../output/units.js';

/** An agent as `--json` shows it. */
export interface AgentDocument {
  readonly agentId: string;
  readonly premises: string;
  readonly address: string;
  readonly state: AgentStateName;
  readonly softwareVersion: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
  readonly freeFloorBytes: number;
  /** Whether it is online, and its free space has reached its floor: then it takes no blocks. */
  readonly full: boolean;
  readonly blockCount: number;
  readonly blockBytes: number;
  /** Milliseconds since 1970 UTC; absent where there was none since the service began. */
  readonly lastHeartbeatAtMs: number | undefined;
  readonly namespaceCount: number;
}

/** Where an agent stands, in a word. */
export type AgentStateName = 'online' | 'draining' | 'offline' | 'unknown';

/** The word for an agent's state. */
export function agentStateName(state: AgentState): AgentStateName {
  switch (state) {
    case AgentState.ONLINE:
      return 'online';
    case AgentState.DRAINING:
      return 'draining';
    case AgentState.OFFLINE:
      return 'offline';
    case AgentState.UNSPECIFIED:
    case AgentState.UNRECOGNIZED:
      return 'unknown';
  }
}

/** An agent as it comes over the wire, for `--json`. */
export function agentDocument(agent: Agent): AgentDocument {
  const state = agentStateName(agent.state);
  return {
    agentId: agent.agentId,
    premises: agent.premises,
    address: agent.address,
    state,
    softwareVersion: agent.softwareVersion,
    freeBytes: Number(agent.freeBytes),
    totalBytes: Number(agent.totalBytes),
    freeFloorBytes: Number(agent.freeFloorBytes),
    full: state === 'online' && agent.freeBytes <= agent.freeFloorBytes,
    blockCount: Number(agent.blockCount),
    blockBytes: Number(agent.blockBytes),
    lastHeartbeatAtMs: agent.lastHeartbeatAtMs === 0n ? undefined : Number(agent.lastHeartbeatAtMs),
    namespaceCount: agent.namespaceCount,
  };
}

/** Agents as a table; `nowMs` is the time against which heartbeats are old. */
export function formatAgents(agents: readonly AgentDocument[], nowMs: number): string {
  if (agents.length === 0) return "No agent has registered yet; start one with 'drystone agent serve'.";
  const columns = [
    { heading: 'agent' },
    { heading: 'premises' },
    { heading: 'state' },
    { heading: 'address' },
    { heading: 'free', align: 'right' },
    { heading: 'blocks', align: 'right' },
    { heading: 'stored', align: 'right' },
    { heading: 'namespaces', align: 'right' },
    { heading: 'heartbeat', align: 'right' },
  ] as const;
  const rows = agents.map((agent) => [
    agent.agentId,
    agent.premises,
    agent.full ? `${agent.state}, full` : agent.state,
    agent.address,
    formatBytes(agent.freeBytes),
    formatCount(agent.blockCount),
    formatBytes(agent.blockBytes),
    formatCount(agent.namespaceCount),
    agent.lastHeartbeatAtMs === undefined ? 'none' : `${formatDuration(nowMs - agent.lastHeartbeatAtMs)} ago`,
  ]);
  return formatTable(columns, rows);
}
