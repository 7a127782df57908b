import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { Registry } from 'prom-client';
import { startAgent } from '../../../agent/program.js';
import type { HeldIdentity } from '../../../common/identity/held-identity.js';
import { loadIdentity } from '../../../common/identity/identity-files.js';
import type { DeviceIdentity } from '../../../common/identity/identity.js';
import type { AgentId, NamespaceId } from '../../../common/ids.js';
import type { ServerContext, RunningProgram } from '../../../common/program/context.js';
import { openChannel, type RpcChannel } from '../../../common/rpc/client.js';
import { TlsChannelCredentials } from '../../../common/rpc/tls-channel.js';
import { clientTlsSettings } from '../../../common/rpc/tls-settings.js';
import { mutualTls } from '../../../common/rpc/transport-credentials.js';
import type { MemberRole } from '../../../proto/gen/drystone/metadata/v1/access.js';
import { joiningConfig, programContext } from '../agent/agent-under-test.js';
import { agentIdOf } from '../blocks/block-fleet.js';
import { metricOf } from '../blocks/block-server.js';
import type { TestCaller } from '../metadata/callers.js';
import { TestMetadata, type MetadataSetup } from '../metadata/service.js';
import { TestAuthority } from '../trust/test-authority.js';
import { ShiftedClock } from '../shifted-clock.js';
import { waitUntil } from '../wait-until.js';

/** Which of the two servers. */
export type ServerName = 'metadata' | 'agent';

export interface FleetSetup extends MetadataSetup {
  /** What the agent is handed from outside. */
  readonly agentContext?: Partial<ServerContext>;
}

/** What an agent runs on. */
interface AgentGround {
  readonly dir: string;
  readonly context: ServerContext;
}

/**
 * A metadata service and an agent, the real programs, in this process and over TLS; nothing of them is taken out or made
 * easier. The test has the CA's key, and may certify whom it likes.
 */
export class FleetUnderAttack {
  readonly #channels: RpcChannel[] = [];

  private constructor(
    readonly metadata: TestMetadata,
    /** By which metadata goes. */
    readonly clock: ShiftedClock,
    readonly authority: TestAuthority,
    readonly agent: RunningProgram,
    readonly agentHeld: HeldIdentity,
    private readonly agentGround: AgentGround,
  ) {}

  get agentDir(): string {
    return this.agentGround.dir;
  }

  static async start({ agentContext: change, ...setup }: FleetSetup = {}): Promise<FleetUnderAttack> {
    const clock = new ShiftedClock();
    const metadata = await TestMetadata.start({ clock, ...setup });
    const agentDir = await mkdtemp(join(tmpdir(), 'drystone-agent-'));
    const agentContext = programContext(change);
    const agent = await startAgent(await joiningConfig(metadata, agentDir), agentContext);
    const [keyPem, certificatesPem] = await Promise.all(
      ['ca.key', 'ca.crt'].map((file) => readFile(join(metadata.dataDir, 'ca', file), 'utf8')),
    );
    const authority = await TestAuthority.of(keyPem!, certificatesPem!);
    const agentHeld = (await loadIdentity(agentDir, 'agent'))!;
    return new FleetUnderAttack(metadata, clock, authority, agent, agentHeld, {
      dir: agentDir,
      context: agentContext,
    });
  }

  get agentRegistry(): Registry {
    return this.agentGround.context.registry;
  }

  get agentId(): AgentId {
    return agentIdOf(this.agentHeld);
  }

  addressOf(server: ServerName): string {
    return server === 'metadata' ? this.metadata.program.address : this.agent.address;
  }

  /** A connection of its own for whoever holds this, or for one who shows no certificate. */
  channelTo(server: ServerName, held: HeldIdentity | undefined): RpcChannel {
    const peer = server === 'metadata' ? server : this.agentId;
    const anonymous = createSecureContext({ ...clientTlsSettings, ca: this.authority.ca.trustedPem });
    const credentials =
      held === undefined ? new TlsChannelCredentials(() => anonymous, peer) : mutualTls(held).channelTo(peer);
    const channel = openChannel(this.addressOf(server), credentials);
    this.#channels.push(channel);
    return channel;
  }

  /** A namespace on the agent, of which these accounts are members; its administrator is none unless named. */
  async namespace(name: string, members: Readonly<Record<string, MemberRole>>): Promise<NamespaceId> {
    const { access, admin } = this.metadata.calls;
    const { namespace } = await waitUntil('the agent is online', () => admin.createNamespace({ name, replicas: 1 }));
    for (const [account, role] of Object.entries(members)) {
      await access.shareNamespace({ namespaceName: name, account, role });
    }
    const { account } = this.metadata.administrator.identity;
    if (!(account in members)) await access.unshareNamespace({ namespaceName: name, account });
    const id = namespace!.namespaceId as NamespaceId;
    await waitUntil('the agent holds the namespace', async () => {
      const held = await readFile(join(this.agentDir, 'assignments.json'), 'utf8').catch(() => '');
      return held.includes(id);
    });
    return id;
  }

  /** A new device of an account, which is made where there is none. */
  device(account: string): Promise<TestCaller<DeviceIdentity>> {
    return this.metadata.asDevice(account);
  }

  /** An access token for the device, for these namespaces. */
  async tokenOf({ calls }: TestCaller<DeviceIdentity>, ...namespaceIds: readonly NamespaceId[]): Promise<string> {
    return (await calls.account.issueAccessToken({ namespaceIds: [...namespaceIds] })).accessToken;
  }

  /** The value of a series of one of the servers. */
  metric(server: ServerName, series: string): Promise<number> {
    return metricOf(server === 'metadata' ? this.metadata.registry : this.agentRegistry, series);
  }

  async stop(): Promise<void> {
    for (const channel of this.#channels) channel.close();
    await this.agent.stop();
    await this.metadata.stop();
    await rm(this.agentDir, { recursive: true, force: true });
  }
}
