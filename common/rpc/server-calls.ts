import {
  type Metadata,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { cancelled, DrystoneError, toDrystoneError } from '../errors.js';
import { rpcLimits } from '../limits.js';
import type { Logger } from '../logging.js';
import type { AdmittedCall } from './admissions.js';
import type { Audience } from './caller.js';
import { boundWriteQueue } from './flow-control.js';
import { MessageReader } from './message-reader.js';
import { writeAll } from './write-all.js';
import type { CallContext, MethodDefinition } from './method-types.js';
import type { RpcServerMetrics } from './rpc-metrics.js';
import { statusOfError, type WireStatus } from './status.js';
import { requestOf } from './unreadable-request.js';

type AnyCall = ServerUnaryCall<unknown, unknown> &
  ServerWritableStream<unknown, unknown> &
  ServerDuplexStream<unknown, unknown>;
type AnyHandler = (input: unknown, context: CallContext) => unknown;

/** One RPC and what serves it. */
export interface ServedMethod {
  readonly method: MethodDefinition;
  readonly handler: AnyHandler;
  readonly audience: Audience;
  /** Whether its calls are ended when the server drains. */
  readonly endless: boolean;
  /** How long each of its requests may be. */
  readonly requestBytes: number;
}

/**
 * The calls of one server: turns handlers over values and async iterables into those of grpc-js, and knows which calls
 * are still running.
 */
export class ServerCalls {
  readonly #running = new Set<Promise<unknown>>();

  constructor(
    private readonly metrics: RpcServerMetrics,
    private readonly logger: Logger,
    /** When it aborts, new calls are refused with UNAVAILABLE (DRAINING) and endless ones end with it. */
    private readonly draining: AbortSignal,
    /** What is known of a call that came with these headers. */
    private readonly admitted: (headers: Metadata) => AdmittedCall,
  ) {}

  /** Resolves when no handler runs any more. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** The grpc-js handler of a method. */
  adapt(served: ServedMethod): UntypedHandleCall {
    if (!served.method.responseStream) {
      return ((call: AnyCall, callback: sendUnaryData<unknown>) => {
        const ended = this.#run(call, served, async (answer) => callback(null, await answer));
        this.#track(ended.then((status) => status !== undefined && callback(status)));
      }) as UntypedHandleCall;
    }
    return ((call: AnyCall) => {
      boundWriteQueue(call, rpcLimits.messagesQueued);
      const ended = this.#run(call, served, (answers, signal) =>
        writeAll(call, answers as AsyncIterable<unknown>, signal),
      );
      this.#track(ended.then((status) => (status === undefined ? call.end() : call.emit('error', status))));
    }) as UntypedHandleCall;
  }

  #track(ended: Promise<unknown>): void {
    this.#running.add(ended);
    void ended.finally(() => this.#running.delete(ended));
  }

  /** Runs a handler to its end. Returns the status to answer, or undefined where all went well. */
  async #run(
    call: AnyCall,
    { method, handler, endless }: ServedMethod,
    answer: (value: unknown, signal: AbortSignal) => Promise<void>,
  ): Promise<WireStatus | undefined> {
    const finish = this.metrics.callStarted(method.path);
    const abort = new AbortController();
    const { signal } = abort;
    const end = (): void => abort.abort();
    const interruption = (): DrystoneError =>
      endless && this.draining.aborted && !call.cancelled ? drainingError() : cancelled('the call');
    call.once('cancelled', end);
    if (endless) this.draining.addEventListener('abort', end);
    try {
      if (this.draining.aborted) throw drainingError();
      const input = method.requestStream ? requestsOf(call, signal, interruption) : requestOf(call.request);
      const { caller, accessToken } = this.admitted(call.metadata);
      await answer(handler(input, { signal, peer: call.getPeer(), caller, accessToken }), signal);
      if (signal.aborted) throw interruption();
      finish('OK');
      return undefined;
    } catch (thrown) {
      const error = signal.aborted ? interruption() : toDrystoneError(thrown);
      finish(error.code);
      this.metrics.refused(error);
      if (error.code === 'INTERNAL') this.logger.error({ err: thrown, method: method.path }, 'a call failed');
      return statusOfError(error);
    } finally {
      this.draining.removeEventListener('abort', end);
      // Whatever the handler left waiting on this call ends with it.
      end();
    }
  }
}

function drainingError(): DrystoneError {
  return new DrystoneError(
    'UNAVAILABLE',
    'DRAINING',
    'the server is shutting down; try again, it or another may answer',
  );
}

async function* requestsOf(
  call: AnyCall,
  signal: AbortSignal,
  interruption: () => DrystoneError,
): AsyncGenerator<unknown, void, undefined> {
  const reader = new MessageReader(call, rpcLimits.messagesQueued);
  signal.addEventListener('abort', () => reader.end(), { once: true });
  for await (const request of reader.messages()) {
    if (signal.aborted) break;
    yield requestOf(request);
  }
  if (signal.aborted) throw interruption();
}
