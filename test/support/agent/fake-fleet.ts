import type { FleetCaller } from '../../../agent/metadata-link.js';
import { cancelled, type DrystoneError } from '../../../common/errors.js';
import type { TokenKey } from '../../../proto/gen/drystone/metadata/v1/account.js';
import type {
  HeartbeatRequest,
  HeartbeatResponse,
  RegisterAgentRequest,
} from '../../../proto/gen/drystone/metadata/v1/fleet.js';
import { BoundedQueue } from '../../../common/concurrency/bounded-queue.js';
import { onAbort } from '../async-tools.js';

/** One heartbeat stream as metadata sees it. */
export class FakeLine {
  readonly heard: HeartbeatRequest[] = [];
  readonly #answers = new BoundedQueue<HeartbeatResponse>(16);
  #told: HeartbeatResponse = { assignments: [], tokenKeys: [] };
  /** Whether the agent has ended its half. */
  hasLeft = false;

  constructor(
    requests: AsyncIterable<HeartbeatRequest>,
    private readonly endsWithAgent: boolean,
    signal: AbortSignal | undefined,
  ) {
    onAbort(signal, () => this.break(cancelled('the call')));
    void this.#read(requests);
  }

  get answers(): AsyncIterable<HeartbeatResponse> {
    return this.#answers;
  }

  /** Sends the namespaces that are assigned. */
  async assign(...namespaceIds: readonly string[]): Promise<void> {
    const assignments = namespaceIds.map((namespaceId) => ({
      namespaceId,
      namespaceName: `n${namespaceId}`,
      epoch: 1n,
    }));
    this.#told = { ...this.#told, assignments };
    await this.#answers.push(this.#told);
  }

  /** Sends the keys of access tokens. */
  async tellKeys(...tokenKeys: readonly TokenKey[]): Promise<void> {
    this.#told = { ...this.#told, tokenKeys: [...tokenKeys] };
    await this.#answers.push(this.#told);
  }

  break(error: DrystoneError): void {
    this.#answers.fail(error);
  }

  end(): void {
    this.#answers.end();
  }

  async #read(requests: AsyncIterable<HeartbeatRequest>): Promise<void> {
    for await (const request of requests) this.heard.push(request);
    this.hasLeft = true;
    if (this.endsWithAgent) this.end();
  }
}

/** Metadata's fleet service in the hands of a test. */
export class FakeFleet implements FleetCaller {
  readonly registrations: RegisterAgentRequest[] = [];
  readonly lines: FakeLine[] = [];
  heartbeatIntervalMs = 5000;
  /** What registering raises, where it does. */
  refusal: DrystoneError | undefined;
  /** Whether metadata ends a heartbeat stream that the agent has ended. */
  endsWithAgent = true;

  registerAgent: FleetCaller['registerAgent'] = async (request) => {
    this.registrations.push(request);
    if (this.refusal !== undefined) throw this.refusal;
    return { agentId: '', heartbeatIntervalMs: this.heartbeatIntervalMs };
  };

  heartbeat: FleetCaller['heartbeat'] = (requests, options) => this.#open(requests, options?.signal);

  /** The line opened last. */
  get line(): FakeLine | undefined {
    return this.lines.at(-1);
  }

  async *#open(
    requests: AsyncIterable<HeartbeatRequest>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<HeartbeatResponse, void, undefined> {
    const line = new FakeLine(requests, this.endsWithAgent, signal);
    this.lines.push(line);
    yield* line.answers;
  }
}
