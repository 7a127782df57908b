import type { Clock } from '../../common/clock.js';
import { ChangeSignal } from '../../common/concurrency/change-signal.js';
import type { AgentId } from '../../common/ids.js';
import type { SyncMode } from '../progress.js';
import type { Upstream } from './upstream.js';

export interface StandingParts {
  readonly clock: Clock;
  /** How long agents have to tell metadata, once it is back and was read to its end, what they took: milliseconds. */
  readonly relayPatienceMs: number;
  readonly metadata: Upstream;
  readonly agent: (agentId: AgentId) => Upstream;
  /** Where changes go while there are peers alone. */
  readonly own: Upstream;
  /** Told of each change, once it is in force. */
  readonly onChange: (mode: SyncMode) => void;
}

/** How the sync is connected now, and where its changes go accordingly. */
export class Standing {
  #agentId: AgentId | undefined;
  #mode: SyncMode = 'online';
  /** How many peers are heard. */
  #peers = 0;
  /** Whether peers may have heard from this folder what no agent was told. */
  #owesAgent = true;
  #served = new AbortController();
  /** When the patience with agents ends; Infinity before metadata's feed was read to its end. Monotonic. */
  #dueAtMs = Infinity;
  readonly #news = new ChangeSignal();

  constructor(private readonly parts: StandingParts) {}

  get mode(): SyncMode {
    return this.#mode;
  }

  /** The agent that stands in for metadata, while one does. */
  get agentId(): AgentId | undefined {
    return this.#agentId;
  }

  /** Where an upload that begins now goes: to metadata also where nobody can be reached. */
  get upstream(): Upstream {
    if (this.#agentId !== undefined) return this.parts.agent(this.#agentId);
    return this.#mode === 'peers' ? this.parts.own : this.parts.metadata;
  }

  /** Whether metadata and agents are away. */
  get isDeserted(): boolean {
    return this.#mode === 'peers' || this.#mode === 'alone';
  }

  /** Aborts when metadata is reached, or an agent stands in for it. */
  get served(): AbortSignal {
    return this.#served.signal;
  }

  /**
   * Whether the agent that stands in is to be told what is provisional: it was held for peers to hear, in this process or the
   * one before. True once, until that can have happened again.
   */
  takeOwesAgent(): boolean {
    const owes = this.#owesAgent && this.#mode === 'agent';
    if (owes) this.#owesAgent = false;
    return owes;
  }

  /**
   * For how long agents may still tell metadata what they took: milliseconds, Infinity while that has not begun. From then
   * on what metadata does not know is for this folder to say.
   */
  get relayLeftMs(): number {
    return this.#dueAtMs - this.parts.clock.monotonicMs();
  }

  get isProvisionalDue(): boolean {
    return this.relayLeftMs <= 0;
  }

  /** Resolves at the next change; see `ChangeSignal`. */
  arm(signal: AbortSignal): Promise<void> {
    return this.#news.arm(signal);
  }

  /** Metadata is reached. */
  online(): void {
    this.#enter('online', undefined);
  }

  /** Metadata is reached, and its feed was read to its end. */
  caughtUp(): void {
    this.online();
    if (this.#dueAtMs !== Infinity) return;
    this.#dueAtMs = this.parts.clock.monotonicMs() + this.parts.relayPatienceMs;
    this.#news.notify();
  }

  /** Metadata is away, and this agent stands in for it. */
  atAgent(agentId: AgentId): void {
    this.#enter('agent', agentId);
  }

  /** Metadata is away, and so is every agent: there are peers, or nobody. */
  deserted(): void {
    this.#enter(this.#peers > 0 ? 'peers' : 'alone', undefined);
  }

  /** So many peers are heard: what they know is known here. Says nothing unless metadata and agents are away. */
  hearsPeers(count: number): void {
    if (!this.isDeserted) return;
    this.#peers = count;
    this.deserted();
  }

  #enter(mode: SyncMode, agentId: AgentId | undefined): void {
    if (mode === this.#mode && agentId === this.#agentId) return;
    this.#mode = mode;
    this.#agentId = agentId;
    this.#dueAtMs = Infinity;
    if (mode === 'peers') this.#owesAgent = true;
    if (!this.isDeserted) {
      this.#peers = 0;
      this.#served.abort();
      this.#served = new AbortController();
    }
    this.parts.onChange(mode);
    this.#news.notify();
  }
}
