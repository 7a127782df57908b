import { createServer } from 'node:net';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../common/clock.js';
import { rpcLimits } from '../../../../common/limits.js';
import { silentLogger } from '../../../../common/logging.js';
import { CallGate } from '../../../../common/rpc/call-gate.js';
import { createRpcServerMetrics } from '../../../../common/rpc/rpc-metrics.js';
import { startRpcServer, type RpcServerOptions } from '../../../../common/rpc/server.js';
import { aborted, collect, deferred, rejection, streamOf } from '../../../support/async-tools.js';
import { callReflection, watchHealth, checkHealth } from '../../../support/library-services.js';
import { startRpcPair, type RpcPair } from '../../../support/rpc-pair.js';
import { loopbackCredentials } from '../../../support/trust/loopback-credentials.js';
import { waitUntil } from '../../../support/wait-until.js';

let pair: RpcPair | undefined;

afterEach(async () => {
  await pair?.close();
  pair = undefined;
});

const bytes = (text: string): Buffer => Buffer.from(text);

describe('listening', () => {
  const options = (listen: string): RpcServerOptions => ({
    listen,
    credentials: loopbackCredentials().server,
    gate: new CallGate({ clock: systemClock }),
    services: [],
    metrics: createRpcServerMetrics(new Registry(), []),
    logger: silentLogger(),
  });

  it('says which port it got', async () => {
    const server = await startRpcServer(options('127.0.0.1:0'));
    expect(server.address).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
    await server.drain(0);
  });

  it('refuses a port in use: PORT_IN_USE, and says what to do', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const error = await rejection(startRpcServer(options(`127.0.0.1:${port}`)));
    other.close();
    expect(error).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'PORT_IN_USE' });
    expect((error as Error).message).toContain(`127.0.0.1:${port}`);
  });

  it('refuses an address that is not this machine’s: ADDRESS_UNUSABLE', async () => {
    const error = await rejection(startRpcServer(options('203.0.113.1:0')));
    expect(error).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'ADDRESS_UNUSABLE' });
  });

  it.each(['', 'localhost', '127.0.0.1:', ':80', '127.0.0.1:70000', '::1:80', 'http://localhost:80'])(
    'refuses what is no HOST:PORT: %j',
    async (listen) => {
      const error = await rejection(startRpcServer(options(listen)));
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { field: 'listen' } });
    },
  );
});

describe('flow control', () => {
  it('gives every stream and connection a window of rpcLimits.windowBytes, at both ends', async () => {
    pair = await startRpcPair({});
    await pair.calls.ask(bytes(''));
    const [windows] = pair.server.windows;
    expect(windows?.connectionBytes).toBe(rpcLimits.windowBytes);
    expect(windows?.streamBytes).toBe(rpcLimits.windowBytes);
    // Less the answer, which the client need not have given back yet.
    expect(windows?.peerConnectionBytes).toBeGreaterThan(rpcLimits.windowBytes - 1024);
    expect(windows?.peerStreamBytes).toBe(rpcLimits.windowBytes);
  });

  it('counts the connections that are open', async () => {
    pair = await startRpcPair({});
    expect(pair.server.connectionCount).toBe(0);
    await pair.calls.ask(bytes(''));
    expect(pair.server.connectionCount).toBe(1);
    pair.channel.close();
    await waitUntil('the connection is closed', () => pair?.server.connectionCount === 0);
  });
});

describe('health and reflection', () => {
  it('answers a health check', async () => {
    pair = await startRpcPair({});
    expect(await checkHealth(pair.server.address)).toBe('SERVING');
  });

  it('lists its services by reflection, and describes the contracts', async () => {
    pair = await startRpcPair({});
    const answer = await callReflection(pair.server.address, { list_services: '' });
    const names = answer.list_services_response?.service.map(({ name }) => name);
    expect(names).toContain('drystone.block.v1.BlockService');
    expect(names).toContain('drystone.metadata.v1.LocatorService');
    const described = await callReflection(pair.server.address, {
      file_containing_symbol: 'drystone.block.v1.BlockService',
    });
    expect(described.file_descriptor_response?.file_descriptor_proto.length).toBeGreaterThan(0);
  });

  it('refuses a reflection request about nothing with an error and stays up', async () => {
    pair = await startRpcPair({});
    const answer = await callReflection(pair.server.address, { file_containing_symbol: 'no.such.Service' });
    expect(answer.error_response?.error_code).toBe(5);
    expect(await checkHealth(pair.server.address)).toBe('SERVING');
  });
});

describe('draining', () => {
  it('tells health watchers NOT_SERVING and is not held up by them', async () => {
    pair = await startRpcPair({});
    const watch = watchHealth(pair.server.address);
    expect((await watch.next()).value).toBe('SERVING');
    const drained = pair.server.drain(60_000);
    expect((await watch.next()).value).toBe('NOT_SERVING');
    await drained;
  });

  it('lets open calls finish, and refuses new ones with UNAVAILABLE', async () => {
    const release = deferred();
    pair = await startRpcPair({
      async *chat(requests) {
        for await (const request of requests) {
          yield request;
          await release.promise;
        }
        yield bytes('last');
      },
    });
    const responses = pair.calls.chat(streamOf(bytes('first')));
    expect(String((await responses.next()).value)).toBe('first');
    const drained = pair.server.drain(60_000);
    expect(await rejection(pair.calls.ask(bytes('')))).toMatchObject({ code: 'UNAVAILABLE', isTransient: true });
    release.resolve();
    expect((await collect(responses)).map(String)).toEqual(['last']);
    await drained;
  });

  it('ends endless calls at once: their signal aborts and the client is told DRAINING', async () => {
    const ended = deferred<boolean>();
    pair = await startRpcPair(
      {
        async *list(_, { signal }) {
          yield bytes('first');
          await aborted(signal);
          ended.resolve(signal.aborted);
        },
        async *chat(requests) {
          for await (const request of requests) yield request;
        },
      },
      { endless: ['list', 'chat'] },
    );
    const listing = pair.calls.list(bytes(''));
    await listing.next();
    async function* silentAfter(first: Buffer) {
      yield first;
      await new Promise(() => undefined);
    }
    const chatting = pair.calls.chat(silentAfter(bytes('first')));
    await chatting.next();
    await pair.server.drain(60_000);
    expect(await rejection(listing.next())).toMatchObject({ code: 'UNAVAILABLE', reason: 'DRAINING' });
    expect(await rejection(chatting.next())).toMatchObject({ code: 'UNAVAILABLE', reason: 'DRAINING' });
    expect(await ended.promise).toBe(true);
  });

  it('ends calls by force when the grace is over, and waits for their handlers', async () => {
    let ended = false;
    pair = await startRpcPair({
      async *list(_, { signal }) {
        try {
          yield bytes('first');
          await aborted(signal);
        } finally {
          await new Promise((resolve) => setTimeout(resolve, 50));
          ended = true;
        }
      },
    });
    const responses = pair.calls.list(bytes(''));
    await responses.next();
    const next = rejection(responses.next());
    await pair.server.drain(50);
    expect(ended).toBe(true);
    expect(await next).toMatchObject({ isTransient: true });
  });

  it('may be asked for twice', async () => {
    pair = await startRpcPair({});
    await Promise.all([pair.server.drain(), pair.server.drain()]);
  });
});

describe('metrics', () => {
  it('begin at zero and count calls by method and code', async () => {
    pair = await startRpcPair({ ask: () => Promise.reject(new Error('broken')) });
    const value = async (metric: string, code?: string): Promise<number | undefined> => {
      const { values } = (await pair!.registry.getSingleMetric(metric)?.get()) ?? { values: [] };
      return values.find(({ labels }) => labels.grpc_method === 'Ask' && labels.grpc_code === code)?.value;
    };
    expect(await value('grpc_server_started_total')).toBe(0);
    expect(await value('grpc_server_handled_total', 'OK')).toBe(0);
    expect(await value('drystone_rpc_open_calls')).toBe(0);
    await rejection(pair.calls.ask(bytes('')));
    expect(await value('grpc_server_started_total')).toBe(1);
    expect(await value('grpc_server_handled_total', 'OK')).toBe(0);
    expect(await value('grpc_server_handled_total', 'INTERNAL')).toBe(1);
    expect(await value('drystone_rpc_open_calls')).toBe(0);
  });
});
