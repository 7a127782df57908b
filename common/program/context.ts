import type { Registry } from 'prom-client';
import type { Clock } from '../clock.js';
import type { Logger } from '../logging.js';
import type { Random } from '../random.js';

/** What every program is handed from outside, so that a test can own time, chance and output. */
export interface ProgramContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** What a program that serves metrics is handed. */
export interface ServerContext extends ProgramContext {
  /** Each program has a registry of its own: several run in one process in tests. */
  readonly registry: Registry;
}

/** A program that is up. */
export interface RunningProgram {
  /** HOST:PORT of its gRPC server. */
  readonly address: string;
  /** HOST:PORT of /metrics, /healthz and /readyz, where it has them. */
  readonly httpAddress: string | undefined;
  /** Drains and ends: what was begun is finished within its grace, data is closed, locks are released. Idempotent. */
  stop(): Promise<void>;
}
