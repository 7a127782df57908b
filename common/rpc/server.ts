import { setMaxListeners } from 'node:events';
import { logVerbosity, setLogVerbosity, type UntypedHandleCall } from '@grpc/grpc-js';
import { HealthImplementation, service as healthService } from 'grpc-health-check';
import { formatHostPort, parseHostPort } from '../address.js';
import { listenFailure } from '../errors.js';
import { loadLimits, rpcLimits, wireLimits } from '../limits.js';
import type { Logger } from '../logging.js';
import { Admissions } from './admissions.js';
import type { CallGate } from './call-gate.js';
import type { Audience } from './caller.js';
import { Connections, type ConnectionLimits } from './connection-limits.js';
import { WindowedServer, type ConnectionWindows } from './flow-control.js';
import type { Handler, Implementation, MethodDefinition, ServiceMethods } from './method-types.js';
import { addReflection } from './reflection.js';
import type { RpcServerMetrics } from './rpc-metrics.js';
import { ServerCalls, type ServedMethod } from './server-calls.js';
import { readable } from './unreadable-request.js';
import type { IdentifyingServerCredentials } from './transport-credentials.js';

/** A service with its implementation, ready to be served. */
export interface ServedService {
  readonly methods: Readonly<Record<string, ServedMethod>>;
}

export interface ServeOptions<S extends ServiceMethods> {
  /** For whom each RPC is. Others are refused before a request is read. */
  readonly audience: Readonly<Record<keyof S & string, Audience>>;
  /**
   * RPCs whose calls last until somebody ends them, such as watches and heartbeats. When the server drains, the `signal`
   * of their calls aborts and the client is told UNAVAILABLE (DRAINING); calls of other RPCs are left to finish.
   */
  readonly endless?: readonly (keyof S & string)[];
  /** RPCs whose requests carry content, and how long they may be; those of others up to `wireLimits.requestBytes`. */
  readonly requestBytes?: Readonly<Partial<Record<keyof S & string, number>>>;
}

/** Joins a service's generated definition and its implementation, checked against each other. */
export function serve<S extends ServiceMethods>(
  methods: S,
  implementation: Implementation<S>,
  options: ServeOptions<S>,
): ServedService {
  const served = Object.entries(methods).map(([name, method]): [string, ServedMethod] => {
    const handler = implementation[name] as Handler<MethodDefinition> as ServedMethod['handler'];
    const endless = options.endless?.includes(name) ?? false;
    const audience = options.audience[name as keyof S & string];
    const requestBytes = options.requestBytes?.[name as keyof S & string] ?? wireLimits.requestBytes;
    return [name, { method, handler, endless, audience, requestBytes }];
  });
  return { methods: Object.fromEntries(served) };
}

export interface RpcServerOptions {
  /** HOST:PORT; port 0 takes a free one. */
  readonly listen: string;
  readonly credentials: IdentifyingServerCredentials;
  readonly gate: CallGate;
  /** {@link loadLimits}, unless a test wants to meet them sooner. */
  readonly connectionLimits?: ConnectionLimits;
  readonly services: readonly ServedService[];
  readonly metrics: RpcServerMetrics;
  readonly logger: Logger;
}

/** A listening server. */
export interface RpcServer {
  /** HOST:PORT with the port really bound. */
  readonly address: string;
  /** The connections open now. */
  readonly connectionCount: number;
  /** The flow control windows in force, one entry a connection. */
  readonly windows: readonly ConnectionWindows[];
  /**
   * Health turns to NOT_SERVING, new calls are refused with UNAVAILABLE, open ones get `graceMs` to finish and are then
   * ended. Resolves when no handler runs any more, or when one has not heeded its signal for `rpcLimits.settleMs`.
   * Idempotent.
   */
  drain(graceMs?: number): Promise<void>;
}

/**
 * Serves `services`, with health checking and reflection beside them. Raises INVALID_ARGUMENT where `listen` is no
 * HOST:PORT, FAILED_PRECONDITION where the address is taken (PORT_IN_USE) or cannot be had (ADDRESS_UNUSABLE).
 */
export async function startRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  // What grpc-js would print it also raises.
  setLogVerbosity(logVerbosity.NONE);
  const { credentials, gate, metrics, logger, connectionLimits: limits = loadLimits } = options;
  const connections = new Connections({ identify: (socket) => credentials.identify(socket), metrics, limits });
  const draining = new AbortController();
  // Each endless call listens: thousands of subscriptions are no leak.
  setMaxListeners(0, draining.signal);
  const ours = options.services.flatMap(({ methods }) => Object.values(methods));
  const admissions = new Admissions({
    gate,
    connections,
    metrics,
    audiences: audiencesOf(ours),
    requestBytes: new Map(ours.map(({ method, requestBytes }) => [method.path, requestBytes])),
    draining: draining.signal,
    logger,
  });
  const calls = new ServerCalls(metrics, logger, draining.signal, (headers) => admissions.of(headers));
  const server = new WindowedServer(
    {
      'grpc.max_receive_message_length': wireLimits.messageBytes,
      'grpc.max_send_message_length': wireLimits.messageBytes,
      'grpc.max_concurrent_streams': rpcLimits.streamsPerConnection,
      'grpc.enable_channelz': 0,
      interceptors: [admissions.interceptor],
    },
    (listener) => connections.watch(listener),
    (session) => connections.isKnown(session),
  );
  for (const { methods } of options.services) addService(server, calls, methods);
  const health = new HealthImplementation({ '': 'SERVING' });
  health.addToServer(server);
  addReflection(server);
  const address = await bind(server, options);
  let drained: Promise<void> | undefined;
  return {
    address,
    get connectionCount() {
      return server.connectionCount;
    },
    get windows() {
      return server.windows;
    },
    drain(graceMs = rpcLimits.drainGraceMs) {
      health.setStatus('', 'NOT_SERVING');
      draining.abort();
      drained ??= shutDown(server, graceMs).then(() => atMost(rpcLimits.settleMs, calls.settled()));
      return drained;
    },
  };
}

function addService(server: WindowedServer, calls: ServerCalls, methods: ServedService['methods']): void {
  const definition: Record<string, MethodDefinition> = {};
  const handlers: Record<string, UntypedHandleCall> = {};
  for (const [name, served] of Object.entries(methods)) {
    definition[name] = readable(served.method);
    handlers[name] = calls.adapt(served);
  }
  server.addService(definition as never, handlers);
}

/** Health is for anyone; reflection, of which nothing is said here, for whoever has a certificate. */
function audiencesOf(ours: readonly ServedMethod[]): ReadonlyMap<string, Audience> {
  return new Map([
    ...ours.map(({ method, audience }): [string, Audience] => [method.path, audience]),
    ...Object.values(healthService).map(({ path }): [string, Audience] => [path, 'anyone']),
  ]);
}

function bind(server: WindowedServer, { listen, credentials }: RpcServerOptions): Promise<string> {
  const { host } = parseHostPort('listen', listen);
  return new Promise((resolve, reject) => {
    server.bindAsync(listen, credentials, (error, port) => {
      if (error === null) resolve(formatHostPort({ host, port }));
      else reject(listenFailure(listen, error));
    });
  });
}

function shutDown(server: WindowedServer, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, graceMs);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

async function atMost(limitMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, limitMs)));
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
