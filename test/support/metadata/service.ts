import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import type { Clock } from '../../../common/clock.js';
import { systemClock } from '../../../common/clock.js';
import type { AgentId, NamespaceId, NamespaceName } from '../../../common/ids.js';
import { BoundedQueue } from '../../../common/concurrency/bounded-queue.js';
import { silentLogger } from '../../../common/logging.js';
import type { ProgramContext, RunningProgram } from '../../../common/program/context.js';
import { receiptToMessage } from '../../../common/receipt-message.js';
import { openChannel, type RpcChannel } from '../../../common/rpc/client.js';
import { plaintextCredentials } from '../../../common/rpc/credentials.js';
import type { ServiceCaller } from '../../../common/rpc/method-types.js';
import { startMetadata, type MetadataConfig } from '../../../metadata/program.js';
import type { Receipt as WireReceipt } from '../../../proto/gen/drystone/block/v1/block.js';
import { FeedServiceService } from '../../../proto/gen/drystone/feed/v1/feed.js';
import { AccountServiceService, AgentState } from '../../../proto/gen/drystone/metadata/v1/account.js';
import { AdminServiceService, type Namespace } from '../../../proto/gen/drystone/metadata/v1/admin.js';
import {
  CommitServiceService,
  type CommitRequest,
  type CommitResponse,
} from '../../../proto/gen/drystone/metadata/v1/commit.js';
import {
  FleetServiceService,
  type HeartbeatRequest,
  type HeartbeatResponse,
} from '../../../proto/gen/drystone/metadata/v1/fleet.js';
import { PresenceServiceService } from '../../../proto/gen/drystone/metadata/v1/presence.js';
import { collect, streamOf } from '../async-tools.js';
import { seededRandom } from '../seeded-random.js';
import { hashesNamed, receiptOf, sampleAgent, type SampleAgent } from './samples.js';

export interface MetadataCalls {
  readonly account: ServiceCaller<typeof AccountServiceService>;
  readonly admin: ServiceCaller<typeof AdminServiceService>;
  readonly commit: ServiceCaller<typeof CommitServiceService>;
  readonly feed: ServiceCaller<typeof FeedServiceService>;
  readonly fleet: ServiceCaller<typeof FleetServiceService>;
  readonly presence: ServiceCaller<typeof PresenceServiceService>;
}

/** The calls of the metadata service over a channel. */
export function metadataCalls(channel: RpcChannel): MetadataCalls {
  return {
    account: channel.service(AccountServiceService),
    admin: channel.service(AdminServiceService),
    commit: channel.service(CommitServiceService),
    feed: channel.service(FeedServiceService),
    fleet: channel.service(FleetServiceService),
    presence: channel.service(PresenceServiceService),
  };
}

/** An agent's heartbeats as a test sends them. */
export interface HeartbeatLine {
  /** The names of the namespaces that the agent was told of last, in alphabetical order; undefined before the first word. */
  readonly assigned: readonly string[] | undefined;
  /** How the call ended. */
  readonly ended: Promise<unknown>;
  beat(change?: Partial<HeartbeatRequest>): void;
  hangUp(): void;
}

export interface MetadataSetup extends Partial<MetadataConfig> {
  readonly clock?: Clock;
}

/** A metadata service in this process, on a free port of the loopback, and what a test asks of it. */
export class TestMetadata {
  readonly calls: MetadataCalls;

  constructor(
    readonly program: RunningProgram,
    readonly channel: RpcChannel,
    readonly registry: Registry,
    readonly clock: Clock,
  ) {
    this.calls = metadataCalls(channel);
  }

  static async start({ clock = systemClock, ...config }: MetadataSetup = {}): Promise<TestMetadata> {
    const credentials = plaintextCredentials();
    const registry = new Registry();
    const context: ProgramContext = { clock, random: seededRandom(1), logger: silentLogger(), registry, credentials };
    const dataDir = config.dataDir ?? (await mkdtemp(join(tmpdir(), 'drystone-metadata-')));
    const program = await startMetadata(
      { engine: 'memory', listen: '127.0.0.1:0', http: undefined, ...config, dataDir },
      context,
    );
    const cleanUp =
      config.dataDir === undefined ? () => rm(dataDir, { recursive: true, force: true }) : () => Promise.resolve();
    const stop = (): Promise<void> => program.stop().then(cleanUp);
    return new TestMetadata({ ...program, stop }, openChannel(program.address, credentials.channel), registry, clock);
  }

  async stop(): Promise<void> {
    this.channel.close();
    await this.program.stop();
  }

  /** The value of a series, its labels as in the text format. */
  async metric(series: string): Promise<number> {
    const line = (await this.registry.metrics()).split('\n').find((candidate) => candidate.startsWith(`${series} `));
    if (line === undefined) throw new Error(`there is no series ${series}`);
    return Number(line.slice(series.length + 1));
  }

  async register(agent: SampleAgent): Promise<void> {
    await this.calls.fleet.registerAgent(agent.row);
  }

  /** Registers an agent and brings it online: resolves when it has been told its assignments. */
  async online(agent: SampleAgent, change: Partial<HeartbeatRequest> = {}): Promise<HeartbeatLine> {
    await this.register(agent);
    return openHeartbeat(this.calls, agent.id, change);
  }

  /** A namespace assigned to these agents, which are registered for it; they need not be online. */
  async namespace(name: string, ...agents: readonly SampleAgent[]): Promise<TestNamespace> {
    const helper = sampleAgent(`helper-of-${name}`);
    const line = await this.online(helper);
    const { namespace } = await this.calls.admin.createNamespace({ name, replicas: 1 });
    line.hangUp();
    await line.ended;
    if (namespace === undefined) throw new Error('no namespace came back');
    for (const agent of agents) await this.register(agent);
    const agentIds = (agents.length === 0 ? [helper] : agents).map(({ id }) => id);
    await this.calls.admin.setAssignment({ namespaceName: name, agentIds });
    return new TestNamespace(this, namespace);
  }
}

/** A namespace of a service under test. */
export class TestNamespace {
  readonly id: NamespaceId;
  readonly name: NamespaceName;

  constructor(
    readonly metadata: TestMetadata,
    { namespaceId, name }: Namespace,
  ) {
    this.id = namespaceId as NamespaceId;
    this.name = name as NamespaceName;
  }

  /** A receipt for blocks by their names, as the agent would send it now. */
  receipt(agent: SampleAgent, ...blocks: readonly string[]): WireReceipt {
    return receiptToMessage(receiptOf(agent, this.id, hashesNamed(...blocks), this.metadata.clock.nowMs()));
  }

  /** Sends requests on one stream and returns all answers. */
  commitAll(...requests: readonly Partial<CommitRequest>[]): Promise<CommitResponse[]> {
    const filled = requests.map((request) => ({ namespaceId: this.id, items: [], receipts: [], ...request }));
    return collect(this.metadata.calls.commit.commit(streamOf(...filled)));
  }

  /** Sends one request and returns its answer. */
  async commit(request: Partial<CommitRequest>): Promise<CommitResponse> {
    const [response] = await this.commitAll(request);
    if (response === undefined) throw new Error('the commit was not answered');
    return response;
  }
}

const FULL_REPORT = {
  state: AgentState.ONLINE,
  freeBytes: 100_000_000_000n,
  totalBytes: 200_000_000_000n,
  freeFloorBytes: 1_000_000_000n,
  blockCount: 3n,
  blockBytes: 30n,
};

/** Opens a heartbeat stream and waits for the first answer; rejects where the stream ends before. */
export async function openHeartbeat(
  calls: MetadataCalls,
  agentId: AgentId,
  change: Partial<HeartbeatRequest> = {},
): Promise<HeartbeatLine> {
  const reports = new BoundedQueue<HeartbeatRequest>(100);
  const beat = (other: Partial<HeartbeatRequest> = {}): void => {
    void reports.push({ ...FULL_REPORT, agentId, ...other });
  };
  beat(change);
  const answers = calls.fleet.heartbeat(reports);
  const first = await answers.next();
  let assigned = first.done === true ? undefined : namesOf(first.value);
  const listen = async (): Promise<void> => {
    for await (const answer of answers) assigned = namesOf(answer);
  };
  const ended = listen().catch((thrown: unknown) => thrown);
  return {
    get assigned() {
      return assigned;
    },
    ended,
    beat,
    hangUp: () => reports.end(),
  };
}

function namesOf(answer: HeartbeatResponse | undefined): string[] | undefined {
  return answer?.assignments.map(({ namespaceName }) => namespaceName).sort();
}
