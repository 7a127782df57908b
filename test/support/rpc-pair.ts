import { Registry } from 'prom-client';
import { systemClock } from '../../common/clock.js';
import { wireLimits } from '../../common/limits.js';
import { silentLogger } from '../../common/logging.js';
import { openChannel, type RpcChannel } from '../../common/rpc/client.js';
import type { Implementation, ServiceCaller } from '../../common/rpc/method-types.js';
import { CallGate } from '../../common/rpc/call-gate.js';
import { createRpcServerMetrics } from '../../common/rpc/rpc-metrics.js';
import { serve, startRpcServer, type RpcServer, type ServeOptions } from '../../common/rpc/server.js';
import { loopbackCredentials } from './trust/loopback-credentials.js';

const asIs = (bytes: Buffer): Buffer => bytes;

/** Refuses what no honest sender would send, as a protobuf decoder does. */
function decode(bytes: Buffer): Buffer {
  if (bytes.equals(Buffer.from('malformed'))) throw new Error('index out of range');
  return bytes;
}

function method<Request extends boolean, Response extends boolean>(
  name: string,
  requestStream: Request,
  responseStream: Response,
) {
  return {
    path: `/drystone.test.v1.TestService/${name}`,
    requestStream,
    responseStream,
    requestSerialize: asIs,
    requestDeserialize: decode,
    responseSerialize: asIs,
    responseDeserialize: decode,
  };
}

/** A service of one method of each kind, whose messages are plain bytes. */
export const TestService = {
  ask: method('Ask', false, false),
  list: method('List', false, true),
  chat: method('Chat', true, true),
} as const;

/** Its requests may be as long as any message. */
const testRequestBytes = {
  ask: wireLimits.messageBytes,
  list: wireLimits.messageBytes,
  chat: wireLimits.messageBytes,
} as const;

const forDevices = { ask: 'device', list: 'device', chat: 'device' } as const;

type TestMethods = typeof TestService;
export type TestImplementation = Implementation<TestMethods>;
export type TestCalls = ServiceCaller<TestMethods>;

/** Answers with what it got, or with nothing. */
export const idleService: TestImplementation = {
  ask: async (request) => request,
  async *list() {},
  async *chat() {},
};

export interface RpcPair {
  readonly server: RpcServer;
  readonly channel: RpcChannel;
  readonly calls: TestCalls;
  readonly registry: Registry;
  close(): Promise<void>;
}

/** A server on a free port and a channel to it; methods left out answer with what they got, or with nothing. */
export async function startRpcPair(
  implementation: Partial<TestImplementation>,
  options: Partial<ServeOptions<TestMethods>> = {},
): Promise<RpcPair> {
  const registry = new Registry();
  const credentials = loopbackCredentials();
  const paths = Object.values(TestService).map(({ path }) => path);
  const server = await startRpcServer({
    listen: '127.0.0.1:0',
    credentials: credentials.server,
    gate: new CallGate({ clock: systemClock }),
    services: [
      serve(
        TestService,
        { ...idleService, ...implementation },
        { audience: forDevices, requestBytes: testRequestBytes, ...options },
      ),
    ],
    metrics: createRpcServerMetrics(registry, paths),
    logger: silentLogger(),
  });
  const channel = openChannel(server.address, credentials.channelTo('metadata'));
  return {
    server,
    channel,
    calls: channel.service(TestService),
    registry,
    async close() {
      channel.close();
      await server.drain(100);
    },
  };
}
