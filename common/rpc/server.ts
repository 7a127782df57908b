import {
  status as grpcCode,
  type sendUnaryData,
  type ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import { descriptorSetBase64 } from '../../proto/gen/descriptors.js';
import { cancelled, DrystoneError } from '../errors.js';
import { rpcLimits, wireLimits } from '../limits.js';
import type { Logger } from '../logging.js';
import { boundMessageQueues, WindowedServer } from './flow-control.js';
import { writeAll } from './message-stream.js';
import type { CallContext, Implementation, MethodDefinition, ServiceMethods } from './method-types.js';
import type { RpcServerMetrics } from './rpc-metrics.js';
import { codeName, statusOfError, type WireStatus } from './status.js';

/** A service with its implementation, ready to be served. */
export interface ServedService {
  readonly methods: ServiceMethods;
  readonly implementation: Readonly<Record<string, unknown>>;
}

/** Joins a service's generated definition and its implementation, checked against each other. */
export function serve<S extends ServiceMethods>(methods: S, implementation: Implementation<S>): ServedService {
  return { methods, implementation };
}

export interface RpcServerOptions {
  /** HOST:PORT; port 0 takes a free one. */
  readonly listen: string;
  readonly credentials: ServerCredentials;
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
  /** See `WindowedServer.windows`. */
  readonly windows: WindowedServer['windows'];
  /**
   * Health turns to NOT_SERVING, new calls are refused with UNAVAILABLE, open ones get `graceMs` to finish and are then
   * ended. Idempotent.
   */
  drain(graceMs?: number): Promise<void>;
}

/**
 * Serves `services`, with health checking and reflection beside them. Raises FAILED_PRECONDITION (PORT_IN_USE) where the
 * address is taken.
 */
export async function startRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const server = new WindowedServer({
    'grpc.max_receive_message_length': wireLimits.messageBytes,
    'grpc.max_send_message_length': wireLimits.messageBytes,
    'grpc.max_concurrent_streams': rpcLimits.streamsPerConnection,
    'grpc.keepalive_time_ms': rpcLimits.keepaliveIntervalMs,
    'grpc.keepalive_timeout_ms': rpcLimits.keepaliveTimeoutMs,
    'grpc.enable_channelz': 0,
  });
  const draining = new AbortController();
  for (const { methods, implementation } of options.services) {
    const handlers: Record<string, UntypedHandleCall> = {};
    for (const [name, method] of Object.entries(methods)) {
      handlers[name] = adapt(method, implementation[name], draining.signal, options);
    }
    server.addService(methods as never, handlers);
  }
  const health = new HealthImplementation({ '': 'SERVING' });
  health.addToServer(server);
  new ReflectionService(loadFileDescriptorSetFromBuffer(Buffer.from(descriptorSetBase64, 'base64'))).addToServer(
    server,
  );
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
      drained ??= shutDown(server, graceMs);
      return drained;
    },
  };
}

function bind(server: WindowedServer, { listen, credentials }: RpcServerOptions): Promise<string> {
  const host = listen.slice(0, listen.lastIndexOf(':'));
  return new Promise((resolve, reject) => {
    server.bindAsync(listen, credentials, (error, port) => {
      if (error === null) {
        resolve(`${host}:${port}`);
        return;
      }
      const message = `cannot listen on ${listen}: ${error.message}; choose another address, or stop what uses it`;
      reject(new DrystoneError('FAILED_PRECONDITION', 'PORT_IN_USE', message, {}, { cause: error }));
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

type AnyCall = ServerUnaryCall<unknown, unknown> &
  ServerWritableStream<unknown, unknown> &
  ServerDuplexStream<unknown, unknown>;
type AnyHandler = (input: unknown, context: CallContext) => unknown;

function adapt(
  method: MethodDefinition,
  implementation: unknown,
  draining: AbortSignal,
  { metrics, logger }: RpcServerOptions,
): UntypedHandleCall {
  const handler = implementation as AnyHandler;
  const run = async (
    call: AnyCall,
    answer: (value: unknown, context: CallContext) => Promise<void>,
    fail: (status: WireStatus) => void,
  ): Promise<void> => {
    const finish = metrics.callStarted(method.path);
    const abort = new AbortController();
    call.once('cancelled', () => abort.abort());
    const context: CallContext = { signal: abort.signal, peer: call.getPeer() };
    try {
      if (draining.aborted) throw new DrystoneError('UNAVAILABLE', 'DRAINING', 'the server is shutting down');
      await answer(handler(method.requestStream ? requestsOf(call, abort.signal) : call.request, context), context);
      finish(abort.signal.aborted ? 'CANCELLED' : 'OK');
    } catch (thrown) {
      const status = statusOfError(abort.signal.aborted ? cancelled('the call') : thrown);
      finish(codeName(status.code));
      if (status.code === grpcCode.INTERNAL) logger.error({ err: thrown, method: method.path }, 'a call failed');
      fail(status);
    } finally {
      // Whatever the handler left waiting on this call ends with it.
      abort.abort();
    }
  };
  if (!method.responseStream) {
    return ((call: AnyCall, callback: sendUnaryData<unknown>) => {
      void run(call, async (answer) => callback(null, await answer), callback);
    }) as UntypedHandleCall;
  }
  return ((call: AnyCall) => {
    boundMessageQueues(call, rpcLimits.messagesQueued);
    const answerAll = async (answers: unknown, context: CallContext): Promise<void> => {
      await writeAll(call, answers as AsyncIterable<unknown>, context.signal);
      call.end();
    };
    void run(call, answerAll, (status) => call.emit('error', status));
  }) as UntypedHandleCall;
}

async function* requestsOf(call: AnyCall, signal: AbortSignal): AsyncGenerator<unknown, void, undefined> {
  try {
    yield* call.iterator({ destroyOnReturn: false });
  } catch (thrown) {
    throw signal.aborted ? cancelled('the call') : thrown;
  }
}
