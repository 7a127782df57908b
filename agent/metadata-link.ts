import type { Clock } from '../common/clock.js';
import { ChangeSignal } from '../common/concurrency/change-signal.js';
import { retryDelayMs } from '../common/concurrency/retry.js';
import { DrystoneError, toDrystoneError } from '../common/errors.js';
import { parseNamespaceId, type AgentId } from '../common/ids.js';
import { agentLimits } from '../common/limits.js';
import type { Logger } from '../common/logging.js';
import type { Random } from '../common/random.js';
import type { ServiceCaller } from '../common/rpc/method-types.js';
import { softwareVersion } from '../common/version.js';
import { AgentState } from '../proto/gen/drystone/metadata/v1/account.js';
import type {
  AssignedNamespace as AssignedNamespaceMessage,
  FleetServiceService,
  HeartbeatRequest,
  HeartbeatResponse,
} from '../proto/gen/drystone/metadata/v1/fleet.js';
import type { AssignedNamespace, AssignedNamespaces } from './assigned-namespaces.js';
import type { Capacity } from './capacity.js';
import type { FleetStanding } from './fleet-standing.js';
import type { KeptTokenKeys } from './token-keys.js';

/** Calls of metadata's fleet service. */
export type FleetCaller = ServiceCaller<typeof FleetServiceService>;

export interface MetadataLinkOptions {
  readonly fleet: FleetCaller;
  readonly agentId: AgentId;
  /** HOST:PORT that clients are told. */
  readonly address: string;
  readonly assigned: AssignedNamespaces;
  readonly tokenKeys: KeptTokenKeys;
  readonly standing: FleetStanding;
  /** Told whenever metadata is there. */
  readonly onHeard: () => void;
  readonly readCapacity: () => Promise<Capacity>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * The agent's line to metadata: it registers, says how it is at every interval, and takes over the assignments and token
 * keys that come down. Where the line breaks it tries again for ever, with growing, jittered delays, unless metadata has
 * said that this agent is revoked; nothing else of the agent waits for it.
 */
export class MetadataLink {
  readonly #ended = new AbortController();
  readonly #newsToTell = new ChangeSignal();
  #phase: 'serving' | 'draining' | 'leaving' = 'serving';
  /** Whether metadata has answered on the line that is open now. */
  #isAnswered = false;
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

  /** Tells metadata, if it is there, that this agent takes nothing new; returns at once. */
  drain(): void {
    if (this.#phase === 'serving') this.#phase = 'draining';
    this.#newsToTell.notify();
  }

  /**
   * Ends the line, after {@link drain} has been said over it where there is one; by force where metadata does not end it
   * for its part within `agentLimits.farewellMs`. Resolves when nothing of it runs any more.
   */
  async end(): Promise<void> {
    this.#phase = 'leaving';
    if (this.#isAnswered) {
      this.#newsToTell.notify();
      await this.#atMost(agentLimits.farewellMs, this.#running ?? Promise.resolve());
    }
    this.#ended.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, random, logger, standing } = this.options;
    const { signal } = this.#ended;
    for (let failures = 0; this.#isHere(); failures++) {
      try {
        await this.#holdLine(() => (failures = 0));
      } catch (thrown) {
        if (signal.aborted) return;
        const error = toDrystoneError(thrown);
        if (error.reason === 'IDENTITY_REVOKED') return standing.revoke();
        const delayMs = retryDelayMs(failures, error, random);
        logger.warn({ reason: error.reason, delayMs }, `no line to metadata: ${error.message}`);
        await clock.sleep(delayMs, signal).catch(() => undefined);
      }
    }
  }

  /** Registers and keeps one heartbeat stream until this agent leaves; throws where it breaks before. */
  async #holdLine(onAnswer: () => void): Promise<void> {
    const { fleet, address } = this.options;
    const { signal } = this.#ended;
    const { heartbeatIntervalMs } = await fleet.registerAgent({ address, softwareVersion }, { signal });
    const intervalMs = Math.max(heartbeatIntervalMs, agentLimits.heartbeatIntervalMinMs);
    const line = new AbortController();
    try {
      const heartbeats = this.#heartbeats(intervalMs, line.signal);
      for await (const news of fleet.heartbeat(heartbeats, { signal })) {
        onAnswer();
        this.#isAnswered = true;
        this.#heard();
        await this.#follow(news);
      }
    } finally {
      this.#isAnswered = false;
      line.abort();
    }
    if (this.#isHere()) throw new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'metadata ended the heartbeat stream');
  }

  async #follow({ assignments, tokenKeys }: HeartbeatResponse): Promise<void> {
    const { assigned, tokenKeys: keptKeys, logger } = this.options;
    const namespaces = assignments.map(assignmentOf);
    const keys = tokenKeys.map(({ keyId, publicKey }) => ({ id: keyId, publicKey }));
    // First the keys: whoever is sent here for a new namespace may hold a token of a new one.
    await this.#keep(keptKeys.path, keptKeys.replace(keys));
    await this.#keep(assigned.path, assigned.replace(namespaces));
    logger.info({ namespaces: assigned.count, tokenKeys: keys.length }, 'assignments and token keys received');
  }

  /** What could not be written is in force all the same; only a restart while metadata is away would begin with the old. */
  async #keep(path: string, written: Promise<void>): Promise<void> {
    try {
      await written;
    } catch (thrown) {
      if (toDrystoneError(thrown).code === 'INVALID_ARGUMENT') throw thrown;
      this.options.logger.error({ err: thrown }, `what metadata said could not be kept in ${path}`);
    }
  }

  /** One heartbeat an interval, and one whenever there is news, until the line or the agent is gone. */
  async *#heartbeats(intervalMs: number, lineEnded: AbortSignal): AsyncGenerator<HeartbeatRequest, void, undefined> {
    let told: AgentState | undefined;
    while (!lineEnded.aborted) {
      const news = this.#newsToTell.arm(lineEnded);
      const state = this.#phase === 'serving' ? AgentState.ONLINE : AgentState.DRAINING;
      if (this.#phase === 'leaving' && told === state) return;
      yield await this.#heartbeat(state);
      told = state;
      // The transport has taken it; until metadata has answered the first one, that says nothing of the line.
      if (this.#isAnswered) this.#heard();
      if (this.#isHere()) await this.#atMost(intervalMs, news);
    }
  }

  async #heartbeat(state: AgentState): Promise<HeartbeatRequest> {
    const capacity = await this.options.readCapacity();
    return {
      agentId: this.options.agentId,
      state,
      freeBytes: BigInt(capacity.freeBytes),
      totalBytes: BigInt(capacity.totalBytes),
      freeFloorBytes: BigInt(capacity.freeFloorBytes),
      blockCount: BigInt(capacity.blockCount),
      blockBytes: BigInt(capacity.blockBytes),
    };
  }

  #heard(): void {
    this.#heardAtMs = this.options.clock.monotonicMs();
    this.options.onHeard();
  }

  #isHere(): boolean {
    return this.#phase !== 'leaving';
  }

  /** Waits for `event`, but no longer than `limitMs`. */
  async #atMost(limitMs: number, event: Promise<void>): Promise<void> {
    const wait = new AbortController();
    const limit = this.options.clock.sleep(limitMs, wait.signal).catch(() => undefined);
    await Promise.race([limit, event]);
    wait.abort();
  }
}

function assignmentOf(message: AssignedNamespaceMessage, index: number): AssignedNamespace {
  const { namespaceId, namespaceName, epoch } = message;
  const id = parseNamespaceId(`assignments[${index}].namespace_id`, namespaceId);
  return { id, name: namespaceName, epoch: Number(epoch) };
}
