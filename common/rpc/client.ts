import {
  Client,
  Metadata,
  status as grpcCode,
  type ChannelCredentials,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ServiceError,
  type StatusObject,
} from '@grpc/grpc-js';
import { cancelled } from '../errors.js';
import { rpcLimits, retryLimits, wireLimits } from '../limits.js';
import { boundMessageQueues } from './flow-control.js';
import { writeAll } from './message-stream.js';
import type { CallOptions, MethodDefinition, ServiceCaller, ServiceMethods } from './method-types.js';
import { errorOfStatus } from './status.js';

/** A connection to one server, shared by the services called over it. It connects when first used, and again when lost. */
export interface RpcChannel {
  readonly address: string;
  /** The calls of a service over this connection. */
  service<S extends ServiceMethods>(methods: S): ServiceCaller<S>;
  /** Ends open calls and the connection. Idempotent. */
  close(): void;
}

/** Opens a channel to HOST:PORT. It never fails by itself: calls on it do, with UNAVAILABLE while nothing answers. */
export function openChannel(address: string, credentials: ChannelCredentials): RpcChannel {
  const client = new Client(address, credentials, {
    'grpc.max_receive_message_length': wireLimits.messageBytes,
    'grpc.max_send_message_length': wireLimits.messageBytes,
    'grpc-node.flow_control_window': rpcLimits.windowBytes,
    'grpc.keepalive_time_ms': rpcLimits.keepaliveIntervalMs,
    'grpc.keepalive_timeout_ms': rpcLimits.keepaliveTimeoutMs,
    'grpc.initial_reconnect_backoff_ms': retryLimits.initialDelayMs,
    'grpc.max_reconnect_backoff_ms': retryLimits.maxDelayMs,
    // Our own retries know what is idempotent; those of the library would buffer up to 1 MiB a call.
    'grpc.enable_retries': 0,
    'grpc.service_config_disable_resolution': 1,
    'grpc.enable_channelz': 0,
    'grpc.use_local_subchannel_pool': 1,
  });
  return {
    address,
    service: <S extends ServiceMethods>(methods: S) => callersOf(client, methods),
    close: () => client.close(),
  };
}

function callersOf<S extends ServiceMethods>(client: Client, methods: S): ServiceCaller<S> {
  const callers = Object.entries(methods).map(([name, method]) => {
    if (!method.responseStream) return [name, unaryCaller(client, method)];
    return [name, method.requestStream ? bidiCaller(client, method) : serverStreamCaller(client, method)];
  });
  return Object.fromEntries(callers) as ServiceCaller<S>;
}

type Codecs = [path: string, (value: unknown) => Buffer, (bytes: Buffer) => unknown];

function codecs(method: MethodDefinition): Codecs {
  return [method.path, method.requestSerialize as Codecs[1], method.responseDeserialize];
}

function deadlineAfter(timeoutMs: number | undefined): { deadline?: number } {
  return timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
}

function unaryCaller(client: Client, method: MethodDefinition) {
  return (request: unknown, options: CallOptions = {}): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (options.signal?.aborted === true) {
        reject(cancelled('the call'));
        return;
      }
      const onAbort = (): void => call.cancel();
      const deadline = deadlineAfter(options.timeoutMs ?? rpcLimits.unaryTimeoutMs);
      const answer = (error: ServiceError | null, response?: unknown): void => {
        options.signal?.removeEventListener('abort', onAbort);
        if (error === null) resolve(response);
        else reject(errorOfStatus(error));
      };
      const call = client.makeUnaryRequest(...codecs(method), request, new Metadata(), deadline, answer);
      options.signal?.addEventListener('abort', onAbort, { once: true });
    });
}

function serverStreamCaller(client: Client, method: MethodDefinition) {
  return (request: unknown, options: CallOptions = {}) =>
    responsesOf(
      () => client.makeServerStreamRequest(...codecs(method), request, deadlineAfter(options.timeoutMs)),
      undefined,
      options,
    );
}

function bidiCaller(client: Client, method: MethodDefinition) {
  return (requests: AsyncIterable<unknown>, options: CallOptions = {}) =>
    responsesOf(
      () => client.makeBidiStreamRequest(...codecs(method), deadlineAfter(options.timeoutMs)),
      requests,
      options,
    );
}

type StreamCall = ClientReadableStream<unknown> | ClientDuplexStream<unknown, unknown>;

async function* responsesOf(
  start: () => StreamCall,
  requests: AsyncIterable<unknown> | undefined,
  { signal }: CallOptions,
): AsyncGenerator<unknown, void, undefined> {
  if (signal?.aborted === true) throw cancelled('the call');
  const call = start();
  boundMessageQueues(call, rpcLimits.messagesQueued);
  const ended = new AbortController();
  const onAbort = (): void => call.cancel();
  signal?.addEventListener('abort', onAbort, { once: true });
  const status = new Promise<StatusObject>((resolve) => {
    call.once('status', (received: StatusObject) => {
      ended.abort();
      resolve(received);
    });
  });
  // The status tells what went wrong; the stream's own error event says the same again.
  call.on('error', () => undefined);
  const requestErrors: unknown[] = [];
  const sending =
    requests === undefined ? undefined : send(call as ClientDuplexStream<unknown, unknown>, requests, ended.signal);
  sending?.catch((thrown: unknown) => {
    requestErrors.push(thrown);
    call.cancel();
  });
  try {
    try {
      yield* call.iterator({ destroyOnReturn: false });
    } catch {
      // Reported below, from the status.
    }
    const received = await status;
    if (requestErrors.length > 0) throw requestErrors[0];
    if (received.code !== grpcCode.OK) throw errorOfStatus(received);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    call.cancel();
  }
}

async function send(
  call: ClientDuplexStream<unknown, unknown>,
  requests: AsyncIterable<unknown>,
  ended: AbortSignal,
): Promise<void> {
  await writeAll(call, requests, ended);
  if (!ended.aborted) call.end();
}
