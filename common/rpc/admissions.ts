import { ServerInterceptingCall, status as grpcCode, type Metadata, type ServerInterceptor } from '@grpc/grpc-js';
import { toDrystoneError } from '../errors.js';
import { loadLimits, wireLimits } from '../limits.js';
import type { Logger } from '../logging.js';
import type { CallGate } from './call-gate.js';
import type { Audience, Caller } from './caller.js';
import type { Connections } from './connection-limits.js';
import { boundRequests, sessionOf } from './flow-control.js';
import type { RpcServerMetrics } from './rpc-metrics.js';
import { statusOfError } from './status.js';

/** What is known of a call that was let in. */
export interface AdmittedCall {
  readonly caller: Caller;
  readonly accessToken: string | undefined;
}

export interface AdmissionsOptions {
  readonly gate: CallGate;
  readonly connections: Connections;
  readonly metrics: RpcServerMetrics;
  /** For whom each RPC is, by its path; those that are not here are for whoever has a certificate. */
  readonly audiences: ReadonlyMap<string, Audience>;
  /** How long the requests of each RPC may be, by its path; those of others up to `wireLimits.requestBytes`. */
  readonly requestBytes: ReadonlyMap<string, number>;
  /** Aborts when the server begins to drain. */
  readonly draining: AbortSignal;
  readonly logger: Logger;
}

type InterceptedCall = Parameters<ServerInterceptor>[1];
type Method = Parameters<ServerInterceptor>[0];

/** Lets calls in or refuses them when nothing of them has been read but their headers. */
export class Admissions {
  /** By the headers, which are the one thing that grpc-js hands on unchanged from an interceptor to a handler. */
  readonly #admitted = new WeakMap<Metadata, AdmittedCall>();

  constructor(private readonly options: AdmissionsOptions) {}

  /** The interceptor of the server. */
  readonly interceptor: ServerInterceptor = (method, call) => {
    boundRequests(call, this.#requestBytesOf(method, call));
    const isLibraryStream = method.responseStream && method.path.startsWith('/grpc.');
    const forget = isLibraryStream ? this.#endWithDraining(call) : undefined;
    let leave: (() => void) | undefined;
    let ended = false;
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (headers, proceed) => {
            this.#admit(method, call, headers).then(
              (admitted) => {
                leave = admitted;
                if (ended) leave();
                else proceed(headers);
              },
              (thrown: unknown) => this.#refuse(method, call, thrown),
            );
          },
          // However the call ends.
          onCancel: () => {
            ended = true;
            forget?.();
            leave?.();
          },
        }),
    });
  };

  /** What is known of the call that has come with these headers. */
  of(headers: Metadata): AdmittedCall {
    const admitted = this.#admitted.get(headers);
    if (admitted === undefined) throw new Error('a call reached its handler past the gate');
    return admitted;
  }

  #requestBytesOf({ path }: Method, call: InterceptedCall): number {
    const bytes = this.options.requestBytes.get(path) ?? wireLimits.requestBytes;
    const isKnown = this.options.connections.isKnown(sessionOf(call));
    return isKnown ? bytes : Math.min(bytes, loadLimits.anonymousRequestBytes);
  }

  async #admit({ path }: Method, call: InterceptedCall, headers: Metadata): Promise<() => void> {
    const { gate, connections, audiences } = this.options;
    const { caller, address } = connections.peerOf(sessionOf(call));
    const leave = await gate.admit({ caller, audience: audiences.get(path) ?? 'agent or device', address });
    this.#admitted.set(headers, { caller, accessToken: accessTokenOf(headers) });
    return leave;
  }

  #refuse({ path }: Method, call: InterceptedCall, thrown: unknown): void {
    const error = toDrystoneError(thrown);
    const { metrics, logger } = this.options;
    if (error.code === 'INTERNAL') logger.error({ err: thrown, method: path }, 'whether to let a call in is not known');
    metrics.callStarted(path)(error.code);
    metrics.refused(error);
    call.sendStatus(statusOfError(error));
  }

  /** Health watches and reflection streams are served by libraries that do not know of draining, and would hold it up. */
  #endWithDraining(call: InterceptedCall): () => void {
    const { draining } = this.options;
    const end = (): void => {
      // After what the library writes on the same occasion.
      setImmediate(() => call.sendStatus({ code: grpcCode.UNAVAILABLE, details: 'the server is shutting down' }));
    };
    draining.addEventListener('abort', end, { once: true });
    return () => draining.removeEventListener('abort', end);
  }
}

const BEARER = 'Bearer ';

function accessTokenOf(headers: Metadata): string | undefined {
  const [value] = headers.get('authorization');
  return typeof value === 'string' && value.startsWith(BEARER) ? value.slice(BEARER.length) : undefined;
}
