import type { AgentId } from '../../common/ids.js';
import type { SyncMode } from '../progress.js';
import type { Upstream } from './upstream.js';

export interface StandingParts {
  readonly metadata: Upstream;
  readonly agent: (agentId: AgentId) => Upstream;
  /** Told of each change, once it is in force. */
  readonly onChange: (mode: SyncMode) => void;
}

/** How the sync is connected now, and where its changes go accordingly. */
export class Standing {
  #agentId: AgentId | undefined;
  #mode: SyncMode = 'online';
  /**
   * Whether metadata has had the time to hear from agents what they were told: what it still does not know, this folder
   * says itself.
   */
  isProvisionalDue = false;

  constructor(private readonly parts: StandingParts) {}

  get mode(): SyncMode {
    return this.#mode;
  }

  /** The agent that stands in for metadata, while one does. */
  get agentId(): AgentId | undefined {
    return this.#agentId;
  }

  /** Where an upload that begins now goes. Nowhere else is to be tried while both are away. */
  get upstream(): Upstream {
    return this.#agentId === undefined ? this.parts.metadata : this.parts.agent(this.#agentId);
  }

  /** Metadata is reached. */
  online(): void {
    this.#enter('online', undefined);
  }

  /** Metadata is away, and this agent stands in for it. */
  atAgent(agentId: AgentId): void {
    this.#enter('agent', agentId);
  }

  /** Metadata is away, and so is every agent. */
  alone(): void {
    this.#enter('alone', undefined);
  }

  #enter(mode: SyncMode, agentId: AgentId | undefined): void {
    if (mode === this.#mode && agentId === this.#agentId) return;
    this.#mode = mode;
    this.#agentId = agentId;
    if (mode !== 'online') this.isProvisionalDue = false;
    this.parts.onChange(mode);
  }
}
