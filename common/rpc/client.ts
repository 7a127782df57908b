import { Metadata, type ChannelCredentials, type Client, type ServiceError } from '@grpc/grpc-js';
import { systemClock } from '../clock.js';
import { cancelled, type DrystoneError } from '../errors.js';
import { rpcLimits, wireLimits } from '../limits.js';
import type { CallOptions, MethodDefinition, ServiceCaller, ServiceMethods } from './method-types.js';
import { RenewedClient } from './renewed-client.js';
import { streamResponses, type StreamCall } from './response-stream.js';
import { errorOfStatus } from './status.js';

/** A connection to one server, shared by the services called over it. It connects when first used, and again when lost. */
export interface RpcChannel {
  readonly address: string;
  /** The calls of a service over this connection. */
  service<S extends ServiceMethods>(methods: S): ServiceCaller<S>;
  /** Ends open calls with CANCELLED, and the connection; later calls fail with it too. Idempotent. */
  close(): void;
}

/**
 * Opens a channel to HOST:PORT. It never fails by itself: calls on it do, with UNAVAILABLE while nothing answers, at the latest
 * when no connection has come about for `connectMs`.
 */
export function openChannel(
  address: string,
  credentials: ChannelCredentials,
  connectMs: number = rpcLimits.connectMs,
): RpcChannel {
  const connection = new Connection(address, credentials, connectMs);
  return {
    address,
    service: <S extends ServiceMethods>(methods: S) => callersOf(connection, methods),
    close: () => connection.close(),
  };
}

class Connection {
  readonly #client: RenewedClient;
  readonly #open = new Set<Cancellable>();
  #closed = false;

  constructor(
    readonly address: string,
    credentials: ChannelCredentials,
    connectMs: number,
  ) {
    const options = {
      'grpc.max_receive_message_length': wireLimits.messageBytes,
      'grpc.max_send_message_length': wireLimits.messageBytes,
      'grpc-node.flow_control_window': rpcLimits.windowBytes,
      'grpc.keepalive_time_ms': rpcLimits.pingIntervalMs,
      'grpc.keepalive_timeout_ms': rpcLimits.pingTimeoutMs,
      // Our own retries know what is idempotent; those of the library would buffer up to 1 MiB a call.
      'grpc.enable_retries': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc.enable_channelz': 0,
      'grpc.use_local_subchannel_pool': 1,
    };
    this.#client = new RenewedClient({ address, credentials, options, connectMs });
  }

  /** Starts a call that {@link close} and `signal` cancel, or raises CANCELLED. */
  start<C extends Cancellable>(signal: AbortSignal | undefined, make: (client: Client) => C): C {
    if (this.#closed || signal?.aborted === true) throw cancelled(`the call to ${this.address}`);
    const call = make(this.#client.current);
    const onAbort = (): void => call.cancel();
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#open.add(call);
    call.once('status', () => {
      this.#open.delete(call);
      signal?.removeEventListener('abort', onAbort);
    });
    return call;
  }

  /** What a call's failure means to its caller, who may have wanted it. */
  failure(status: Parameters<typeof errorOfStatus>[0], signal: AbortSignal | undefined): DrystoneError {
    if (this.#closed || signal?.aborted === true) return cancelled(`the call to ${this.address}`);
    return errorOfStatus(status, this.address);
  }

  close(): void {
    this.#closed = true;
    for (const call of this.#open) call.cancel();
    this.#client.close();
  }
}

interface Cancellable {
  cancel(): void;
  once(event: 'status', listener: () => void): unknown;
}

function callersOf<S extends ServiceMethods>(connection: Connection, methods: S): ServiceCaller<S> {
  const callers = Object.entries(methods).map(([name, method]) => {
    return [name, method.responseStream ? streamCaller(connection, method) : unaryCaller(connection, method)];
  });
  return Object.fromEntries(callers) as ServiceCaller<S>;
}

type Codecs = [path: string, (value: unknown) => Buffer, (bytes: Buffer) => unknown];

function codecs(method: MethodDefinition): Codecs {
  return [method.path, method.requestSerialize as Codecs[1], method.responseDeserialize];
}

function deadlineAfter(timeoutMs: number | undefined): { deadline?: number } {
  return timeoutMs === undefined ? {} : { deadline: systemClock.nowMs() + timeoutMs };
}

/** What goes before the requests of a call. */
function headersOf({ accessToken }: CallOptions): Metadata {
  const headers = new Metadata();
  if (accessToken !== undefined) headers.set('authorization', `Bearer ${accessToken}`);
  return headers;
}

function unaryCaller(connection: Connection, method: MethodDefinition) {
  return (request: unknown, options: CallOptions = {}): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const deadline = deadlineAfter(options.timeoutMs ?? rpcLimits.unaryTimeoutMs);
      const answer = (error: ServiceError | null, response?: unknown): void => {
        if (error === null) resolve(response);
        else reject(connection.failure(error, options.signal));
      };
      connection.start(options.signal, (client) =>
        client.makeUnaryRequest(...codecs(method), request, headersOf(options), deadline, answer),
      );
    });
}

function streamCaller(connection: Connection, method: MethodDefinition) {
  return (input: unknown, options: CallOptions = {}): AsyncGenerator<unknown, void, undefined> => {
    const deadline = (): { deadline?: number } => deadlineAfter(options.timeoutMs);
    const start = (): StreamCall =>
      connection.start<StreamCall>(options.signal, (client) =>
        method.requestStream
          ? client.makeBidiStreamRequest(...codecs(method), headersOf(options), deadline())
          : client.makeServerStreamRequest(...codecs(method), input, headersOf(options), deadline()),
      );
    return streamResponses({
      start,
      requests: method.requestStream ? (input as AsyncIterable<unknown>) : undefined,
      failure: (status) => connection.failure(status, options.signal),
    });
  };
}
