import { Registry } from 'prom-client';
import { systemClock } from '../../../common/clock.js';
import type { HeldIdentity } from '../../../common/identity/held-identity.js';
import { silentLogger } from '../../../common/logging.js';
import { CallGate, type CallGateOptions } from '../../../common/rpc/call-gate.js';
import type { Audience } from '../../../common/rpc/caller.js';
import { openChannel, type RpcChannel } from '../../../common/rpc/client.js';
import { createRpcServerMetrics } from '../../../common/rpc/rpc-metrics.js';
import { serve, startRpcServer, type RpcServer, type RpcServerOptions } from '../../../common/rpc/server.js';
import { enrollingChannel, mutualTls, type ServerCertificate } from '../../../common/rpc/transport-credentials.js';
import { idleService, TestService, type TestCalls, type TestImplementation } from '../rpc-pair.js';
import type { TestAuthority } from './test-authority.js';

export interface TlsServerOptions extends Partial<CallGateOptions>, Pick<RpcServerOptions, 'connectionLimits'> {
  readonly implementation?: Partial<TestImplementation>;
  /** For whom all its RPCs are; a device unless set. */
  readonly audience?: Audience;
  /** Who the server is; metadata unless set. */
  readonly held?: HeldIdentity;
  readonly listen?: string;
  /** What it shows in place of its own certificate. */
  readonly serverCertificate?: ServerCertificate;
}

/** The test service over mutual TLS, for callers of every kind. */
export class TlsServerUnderTest {
  readonly #channels: RpcChannel[] = [];

  private constructor(
    readonly authority: TestAuthority,
    readonly held: HeldIdentity,
    readonly server: RpcServer,
    readonly registry: Registry,
  ) {}

  static async start(authority: TestAuthority, options: TlsServerOptions = {}): Promise<TlsServerUnderTest> {
    const { implementation, audience = 'device', listen = '127.0.0.1:0' } = options;
    const { connectionLimits, serverCertificate, ...gate } = options;
    const held = options.held ?? (await authority.metadata());
    const registry = new Registry();
    const server = await startRpcServer({
      listen,
      credentials: mutualTls(held, { serverCertificate }).server,
      gate: new CallGate({ clock: systemClock, ...gate }),
      services: [
        serve(
          TestService,
          { ...idleService, ...implementation },
          { audience: { ask: audience, list: audience, chat: audience } },
        ),
      ],
      metrics: createRpcServerMetrics(registry, []),
      logger: silentLogger(),
      ...(connectionLimits === undefined ? {} : { connectionLimits }),
    });
    return new TlsServerUnderTest(authority, held, server, registry);
  }

  /** A connection of its own for whoever shows this, or for one who shows nothing. */
  channelOf(caller: HeldIdentity | undefined): RpcChannel {
    const credentials =
      caller === undefined
        ? enrollingChannel(this.authority.ca.trustedPem)
        : mutualTls(caller).channelTo(this.held.identity.kind === 'agent' ? this.held.identity.agentId : 'metadata');
    const channel = openChannel(this.server.address, credentials);
    this.#channels.push(channel);
    return channel;
  }

  callsOf(caller: HeldIdentity | undefined): TestCalls {
    return this.channelOf(caller).service(TestService);
  }

  /** The value of a series; undefined where it is not there. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number | undefined> {
    const { values } = (await this.registry.getSingleMetric(name)?.get()) ?? { values: [] };
    return values.find((value) => Object.entries(labels).every(([label, wanted]) => value.labels[label] === wanted))
      ?.value;
  }

  async close(): Promise<void> {
    for (const channel of this.#channels) channel.close();
    await this.server.drain(0);
  }
}
