import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import type { Clock } from '../../../common/clock.js';
import { systemClock } from '../../../common/clock.js';
import type { AgentIdentity, DeviceIdentity } from '../../../common/identity/identity.js';
import type { AgentId, NamespaceId, NamespaceName } from '../../../common/ids.js';
import { silentLogger } from '../../../common/logging.js';
import type { ServerContext } from '../../../common/program/context.js';
import { receiptToMessage } from '../../../common/receipt-message.js';
import { startMetadata, type MetadataConfig, type RunningMetadata } from '../../../metadata/program.js';
import type { Receipt as WireReceipt } from '../../../proto/gen/drystone/block/v1/block.js';
import type { Item as WireItem } from '../../../proto/gen/drystone/feed/v1/feed.js';
import {
  AccountRole,
  type AuditEntry,
  type ListAuditEntriesRequest,
  type MemberRole,
} from '../../../proto/gen/drystone/metadata/v1/access.js';
import type { Namespace } from '../../../proto/gen/drystone/metadata/v1/admin.js';
import type { PushRequest, PushResponse } from '../../../proto/gen/drystone/feed/v1/feed.js';
import type { HeartbeatRequest } from '../../../proto/gen/drystone/metadata/v1/fleet.js';
import { collect, streamOf } from '../async-tools.js';
import { systemRandom } from '../../../common/random.js';
import { TestEnrollment, type TestCaller } from './callers.js';
import type { MetadataCalls } from './calls.js';
import { openHeartbeat, type HeartbeatLine } from './heartbeats.js';
import { hashesNamed, receiptOf, sampleAgent, type SampleAgent } from './samples.js';

export interface MetadataSetup extends Partial<MetadataConfig> {
  /** Certificates are made by it and verified by the machine's: it must not be far from that where somebody joins. */
  readonly clock?: Clock;
}

/** A metadata service in this process, on a free port of the loopback, that nobody has joined yet. */
export async function startBareMetadata({
  clock = systemClock,
  ...config
}: MetadataSetup & { readonly dataDir: string }): Promise<RunningMetadata & { readonly registry: Registry }> {
  const registry = new Registry();
  const context: ServerContext = { clock, random: systemRandom, logger: silentLogger(), registry };
  const everything: MetadataConfig = {
    engine: 'memory',
    listen: '127.0.0.1:0',
    http: undefined,
    serverCertificate: undefined,
    recoverAdmin: false,
    ...config,
  };
  return { ...(await startMetadata(everything, context)), registry };
}

/**
 * A metadata service in this process, on a free port of the loopback, and what a test asks of it: as a device of an
 * administrator, unless it says otherwise. Everybody joins as everywhere: with a one-time token, over TLS.
 */
export class TestMetadata {
  readonly #agents = new Map<AgentId, TestCaller<AgentIdentity>>();
  readonly calls: MetadataCalls;

  private constructor(
    readonly program: RunningMetadata,
    readonly dataDir: string,
    readonly registry: Registry,
    readonly clock: Clock,
    readonly enrollment: TestEnrollment,
    readonly administrator: TestCaller<DeviceIdentity>,
  ) {
    this.calls = administrator.calls;
  }

  static async start(setup: MetadataSetup = {}): Promise<TestMetadata> {
    const { clock = systemClock } = setup;
    const dataDir = setup.dataDir ?? (await mkdtemp(join(tmpdir(), 'drystone-metadata-')));
    const program = await startBareMetadata({ recoverAdmin: true, ...setup, dataDir });
    const cleanUp =
      setup.dataDir === undefined ? () => rm(dataDir, { recursive: true, force: true }) : () => Promise.resolve();
    const stop = (): Promise<void> => program.stop().then(cleanUp);
    const enrollment = new TestEnrollment(program.address, dataDir);
    const token = (await readFile(program.adminTokenFile!, 'utf8')).trim();
    const administrator = (await enrollment.join(token)) as TestCaller<DeviceIdentity>;
    return new TestMetadata({ ...program, stop }, dataDir, program.registry, clock, enrollment, administrator);
  }

  async stop(): Promise<void> {
    this.enrollment.close();
    await this.program.stop();
  }

  /** The value of a series, its labels as in the text format. */
  async metric(series: string): Promise<number> {
    const line = (await this.registry.metrics()).split('\n').find((candidate) => candidate.startsWith(`${series} `));
    if (line === undefined) throw new Error(`there is no series ${series}`);
    return Number(line.slice(series.length + 1));
  }

  /** A new device of an account, which is made where there is none. */
  async asDevice(account: string, role = AccountRole.MEMBER): Promise<TestCaller<DeviceIdentity>> {
    await this.calls.access.createAccount({ name: account, role }).catch(() => undefined);
    const { token } = await this.calls.access.issueDeviceToken({ account, validSeconds: 0 });
    return (await this.enrollment.join(token)) as TestCaller<DeviceIdentity>;
  }

  /** An agent, which joins where it has not yet. */
  async asAgent(agent: SampleAgent): Promise<TestCaller<AgentIdentity>> {
    const joined = this.#agents.get(agent.id);
    if (joined !== undefined) return joined;
    const { token } = await this.calls.access.issueAgentToken({ premises: agent.row.premises, validSeconds: 0 });
    const caller = (await this.enrollment.join(token, agent.privateKey)) as TestCaller<AgentIdentity>;
    this.#agents.set(agent.id, caller);
    return caller;
  }

  /** Registers an agent, which joins where it has not yet. */
  async register(agent: SampleAgent): Promise<void> {
    const { address, softwareVersion } = agent.row;
    await (await this.asAgent(agent)).calls.fleet.registerAgent({ address, softwareVersion });
  }

  /** Registers an agent and brings it online: resolves when it has been told its assignments. */
  async online(agent: SampleAgent, change: Partial<HeartbeatRequest> = {}): Promise<HeartbeatLine> {
    await this.register(agent);
    return openHeartbeat((await this.asAgent(agent)).calls, agent.id, change);
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

  /** The audit log, or a part of it. */
  async audit(query: Partial<ListAuditEntriesRequest> = {}): Promise<readonly AuditEntry[]> {
    const all = { afterSequence: 0n, namespaceName: '', account: '', pageSize: 0 };
    return (await this.calls.access.listAuditEntries({ ...all, ...query })).entries;
  }

  /** An item as the administrator's device commits it. */
  authored(item: WireItem): WireItem {
    return { ...item, authorDeviceId: this.administrator.identity.deviceId };
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

  /** Makes an account a member. */
  async share(account: string, role: MemberRole): Promise<void> {
    await this.metadata.calls.access.shareNamespace({ namespaceName: this.name, account, role });
  }

  async unshare(account: string): Promise<void> {
    await this.metadata.calls.access.unshareNamespace({ namespaceName: this.name, account });
  }

  /** A receipt for blocks by their names, as the agent would send it now. */
  receipt(agent: SampleAgent, ...blocks: readonly string[]): WireReceipt {
    return receiptToMessage(receiptOf(agent, this.id, hashesNamed(...blocks), this.metadata.clock.nowMs()));
  }

  /** Sends requests on one stream, with the device that sends them as the author of all items, and returns all answers. */
  commitAll(...requests: readonly Partial<PushRequest>[]): Promise<PushResponse[]> {
    const filled = requests.map(({ items = [], ...request }) => ({
      namespaceId: this.id,
      receipts: [],
      endorsement: undefined,
      ...request,
      items: items.map((item) => this.metadata.authored(item)),
    }));
    return collect(this.metadata.calls.feed.push(streamOf(...filled)));
  }

  /** Sends one request and returns its answer. */
  async commit(request: Partial<PushRequest>): Promise<PushResponse> {
    const [response] = await this.commitAll(request);
    if (response === undefined) throw new Error('the commit was not answered');
    return response;
  }
}
