import type { Clock } from '../common/clock.js';
import { ChangeSignal } from '../common/concurrency/change-signal.js';
import { retryDelayMs } from '../common/concurrency/retry.js';
import { DrystoneError, toDrystoneError } from '../common/errors.js';
import { parseNamespaceId, type AgentId, type PremisesName } from '../common/ids.js';
import type { Logger } from '../common/logging.js';
import type { SigningKey } from '../common/program/signing-key.js';
import type { Random } from '../common/random.js';
import type { ServiceCaller } from '../common/rpc/method-types.js';
import { softwareVersion } from '../common/version.js';
import { AgentState } from '../proto/gen/drystone/metadata/v1/account.js';
import type {
  AssignedNamespace as AssignedNamespaceMessage,
  FleetServiceService,
  HeartbeatRequest,
} from '../proto/gen/drystone/metadata/v1/fleet.js';
import type { AssignedNamespace, AssignedNamespaces } from './assigned-namespaces.js';
import type { Capacity } from './capacity.js';

/** Calls of metadata's fleet service. */
export type FleetCaller = ServiceCaller<typeof FleetServiceService>;

export interface MetadataLinkOptions {
  readonly fleet: FleetCaller;
  readonly key: SigningKey<AgentId>;
  readonly premises: PremisesName;
  /** HOST:PORT that clients are told. */
  readonly address: string;
  readonly assigned: AssignedNamespaces;
  readonly readCapacity: () => Promise<Capacity>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * The agent's line to metadata: it registers, says how it is at every interval, and takes over the assignments that come
 * down. Where the line breaks it tries again for ever, with growing, jittered delays; nothing else of the agent waits for
 * it.
 */
export class MetadataLink {
  readonly #ended = new AbortController();
  readonly #stateChanged = new ChangeSignal();
  #isDraining = false;
  #heardAtMs: number | undefined;
  #running: Promise<void> | undefined;

  constructor(private readonly options: MetadataLinkOptions) {}

  /** Milliseconds since the last heartbeat that went out over a line which metadata had answered; undefined before. */
  get heartbeatAgeMs(): number | undefined {
    return this.#heardAtMs === undefined ? undefined : this.options.clock.monotonicMs() - this.#heardAtMs;
  }

  /** Begins; returns at once. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Tells metadata, if it is there, that this agent takes nothing new. */
  drain(): void {
    this.#isDraining = true;
    this.#stateChanged.notify();
  }

  /** Ends the line; resolves when nothing of it runs any more. */
  async end(): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, random, logger } = this.options;
    const { signal } = this.#ended;
    for (let failures = 0; ; failures++) {
      try {
        await this.#holdLine(() => (failures = 0));
      } catch (thrown) {
        if (signal.aborted) return;
        const error = toDrystoneError(thrown);
        const delayMs = retryDelayMs(failures, error, random);
        logger.warn({ reason: error.reason, delayMs }, `no line to metadata: ${error.message}`);
        await clock.sleep(delayMs, signal).catch(() => undefined);
      }
    }
  }

  /** Registers and keeps one heartbeat stream until it breaks; then it throws. */
  async #holdLine(onAnswer: () => void): Promise<never> {
    const { fleet, key, premises, address, assigned, logger } = this.options;
    const { signal } = this.#ended;
    const registration = { publicKey: key.publicKey, premises, address, softwareVersion };
    const { heartbeatIntervalMs } = await fleet.registerAgent(registration, { signal });
    this.#heardAtMs = undefined;
    for await (const { assignments } of fleet.heartbeat(this.#heartbeats(heartbeatIntervalMs), { signal })) {
      onAnswer();
      this.#heardAtMs = this.options.clock.monotonicMs();
      await assigned.replace(assignments.map(assignmentOf));
      logger.info({ namespaces: assigned.count }, 'assignments received');
    }
    throw new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'metadata ended the heartbeat stream');
  }

  async *#heartbeats(intervalMs: number): AsyncGenerator<HeartbeatRequest, void, undefined> {
    const { clock, key, readCapacity } = this.options;
    const { signal } = this.#ended;
    while (!signal.aborted) {
      const changed = this.#stateChanged.arm(signal);
      const capacity = await readCapacity();
      yield {
        agentId: key.id,
        state: this.#isDraining ? AgentState.DRAINING : AgentState.ONLINE,
        freeBytes: BigInt(capacity.freeBytes),
        totalBytes: BigInt(capacity.totalBytes),
        freeFloorBytes: BigInt(capacity.freeFloorBytes),
        blockCount: BigInt(capacity.blockCount),
        blockBytes: BigInt(capacity.blockBytes),
      };
      // The transport has taken it; until metadata has answered the first one, that says nothing of the line.
      if (this.#heardAtMs !== undefined) this.#heardAtMs = clock.monotonicMs();
      await this.#pause(intervalMs, changed);
    }
  }

  /** Waits for the interval, or for `changed`. */
  async #pause(intervalMs: number, changed: Promise<void>): Promise<void> {
    const pause = new AbortController();
    const interval = this.options.clock.sleep(intervalMs, pause.signal).catch(() => undefined);
    await Promise.race([interval, changed]);
    pause.abort();
  }
}

function assignmentOf(message: AssignedNamespaceMessage): AssignedNamespace {
  const { namespaceId, namespaceName, epoch } = message;
  return { id: parseNamespaceId('assignments.namespace_id', namespaceId), name: namespaceName, epoch: Number(epoch) };
}
