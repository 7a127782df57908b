import { cancelled, DrystoneError } from '../../../common/errors.js';
import { rpcLimits } from '../../../common/limits.js';
import type { RpcChannel } from '../../../common/rpc/client.js';
import type { CallOptions, MethodDefinition, ServiceCaller, ServiceMethods } from '../../../common/rpc/method-types.js';
import type { Clock } from '../../../common/clock.js';
import type { MadeCall } from './made-call.js';

/** How a channel begins a call: the call, or an error where no connection can be had. */
export type Dial = (method: MethodDefinition, accessToken: string | undefined) => Promise<MadeCall>;

/** A channel of the simulated network, with the promises of the real one (common/rpc/client.ts). */
export class SimulatedChannel implements RpcChannel {
  readonly #open = new Set<MadeCall>();
  #isClosed = false;

  constructor(
    readonly address: string,
    private readonly clock: Clock,
    private readonly dial: Dial,
    private readonly onClose: () => void,
  ) {}

  service<S extends ServiceMethods>(methods: S): ServiceCaller<S> {
    const callers = Object.entries(methods).map(([name, method]) => [
      name,
      method.responseStream
        ? (input: unknown, options?: CallOptions) => this.#stream(method, input, options ?? {})
        : (input: unknown, options?: CallOptions) => this.#unary(method, input, options ?? {}),
    ]);
    return Object.fromEntries(callers) as ServiceCaller<S>;
  }

  close(): void {
    this.#isClosed = true;
    for (const call of this.#open) call.cancel();
    this.onClose();
  }

  async #unary(method: MethodDefinition, input: unknown, options: CallOptions): Promise<unknown> {
    const call = await this.#begin(method, input, options);
    for await (const response of call.responses.messages()) {
      const { error } = await call.outcome;
      if (error !== undefined) throw this.#failure(error, options);
      return method.responseDeserialize(response);
    }
    const { error } = await call.outcome;
    throw this.#failure(error ?? new DrystoneError('INTERNAL', 'TRANSPORT', 'a call ended without an answer'), options);
  }

  #stream(method: MethodDefinition, input: unknown, options: CallOptions): AsyncGenerator<unknown, void, undefined> {
    let call: MadeCall | undefined;
    let hasLeft = false;
    const begin = async (): Promise<MadeCall> => {
      call = await this.#begin(method, input, options);
      if (hasLeft) call.cancel();
      return call;
    };
    const receive = async function* (failure: (error: DrystoneError) => DrystoneError) {
      const begun = await begin();
      try {
        for await (const response of begun.responses.messages()) yield method.responseDeserialize(response);
        const { error } = await begun.outcome;
        if (begun.requestFailure !== undefined) throw begun.requestFailure.thrown;
        if (error !== undefined && !hasLeft) throw failure(error);
      } finally {
        begun.cancel();
      }
    };
    const responses = receive((error) => this.#failure(error, options));
    const leave = responses.return.bind(responses);
    responses.return = (value) => {
      hasLeft = true;
      call?.cancel();
      return leave(value);
    };
    return responses;
  }

  async #begin(method: MethodDefinition, input: unknown, options: CallOptions): Promise<MadeCall> {
    const { signal, accessToken } = options;
    if (this.#isOver(signal)) throw cancelled(`the call to ${this.address}`);
    const timeoutMs = options.timeoutMs ?? (method.responseStream ? undefined : rpcLimits.unaryTimeoutMs);
    const call = await this.dial(method, accessToken).catch(async (thrown: unknown) => {
      await closeUnread(input);
      throw thrown;
    });
    this.#open.add(call);
    const over = new AbortController();
    void call.outcome.then(() => {
      this.#open.delete(call);
      over.abort();
    });
    if (timeoutMs !== undefined) this.#endAfter(timeoutMs, call, over.signal);
    if (this.#isOver(signal)) call.cancel();
    call.start(input, signal);
    return call;
  }

  #endAfter(timeoutMs: number, call: MadeCall, over: AbortSignal): void {
    const late = new DrystoneError('DEADLINE_EXCEEDED', 'TRANSPORT', `${this.address}: no answer in ${timeoutMs} ms`);
    this.clock.sleep(timeoutMs, over).then(
      () => {
        call.end(late);
        call.cancel();
      },
      () => undefined,
    );
  }

  #isOver(signal: AbortSignal | undefined): boolean {
    return this.#isClosed || signal?.aborted === true;
  }

  #failure(error: DrystoneError, { signal }: CallOptions): DrystoneError {
    if (this.#isOver(signal)) return cancelled(`the call to ${this.address}`);
    return error;
  }
}

/** Requests of a call that never began are closed as those of any other. */
async function closeUnread(input: unknown): Promise<void> {
  if (typeof input !== 'object' || input === null || !(Symbol.asyncIterator in input)) return;
  await (input as AsyncIterable<unknown>)[Symbol.asyncIterator]().return?.();
}
