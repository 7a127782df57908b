import type { AgentReport } from './agent-report.js';

/** One heartbeat stream of an agent. */
export class AgentSession {
  readonly #replaced = new AbortController();
  #hasLeft = false;

  constructor(
    readonly onReport: (report: AgentReport) => void,
    readonly onLeave: () => void,
  ) {}

  /** Aborts when the agent has opened another stream. */
  get replaced(): AbortSignal {
    return this.#replaced.signal;
  }

  /** A heartbeat arrived. Those of a stream that was replaced, or has ended, are late and no longer count. */
  report(report: AgentReport): void {
    if (!this.replaced.aborted && !this.#hasLeft) this.onReport(report);
  }

  /** Another stream takes the place of this one. */
  replace(): void {
    this.#replaced.abort();
  }

  /** The stream has ended, or what comes over it no longer counts. Idempotent. */
  leave(): void {
    this.#hasLeft = true;
    this.onLeave();
  }
}
