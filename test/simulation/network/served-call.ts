import { cancelled, type DrystoneError, toDrystoneError } from '../../../common/errors.js';
import type { CallGate } from '../../../common/rpc/call-gate.js';
import type { Caller } from '../../../common/rpc/caller.js';
import type { ServedMethod } from '../../../common/rpc/server-calls.js';
import { Mailbox } from './mailbox.js';
import { bytesOf, Passage } from './passage.js';

/** Why a signal aborts: made once, because an error costs more than what it tells here. */
const ENDED = new Error('the call has ended');

/** What comes before the first message of a call. */
export interface CallHeaders {
  readonly caller: Caller;
  readonly accessToken: string | undefined;
}

/** How a served call speaks to its caller. */
export interface AnswerLine {
  response(message: Buffer): void;
  /** The end, well or not. */
  end(error: DrystoneError | undefined): void;
}

/** One call at the server: the handler, fed with what arrives. */
export class ServedCall {
  readonly #aborted = new AbortController();
  readonly #requests: Mailbox;
  readonly #responses: Passage;
  #isCancelled = false;

  /** @param onRequestTaken called whenever the handler has taken a request */
  constructor(
    private readonly served: ServedMethod,
    private readonly headers: CallHeaders,
    private readonly line: AnswerLine,
    onRequestTaken: () => void,
  ) {
    this.#requests = new Mailbox(onRequestTaken);
    this.#responses = new Passage((message) => line.response(message));
  }

  request(message: Buffer): void {
    this.#requests.put(message);
  }

  requestsEnded(): void {
    this.#requests.close();
  }

  responseTaken(): void {
    this.#responses.taken();
  }

  /** The client has cancelled, or is gone. */
  cancel(): void {
    this.#isCancelled = true;
    this.#aborted.abort(ENDED);
    this.#requests.close();
  }

  /** Runs the handler to its end. Resolves with what went wrong, where something did; never rejects. */
  async run(gate: CallGate): Promise<DrystoneError | undefined> {
    const { caller } = this.headers;
    try {
      const leave = await gate.admit({ caller, audience: this.served.audience, address: '192.0.2.1' });
      try {
        await this.#handle();
      } finally {
        leave();
        this.#aborted.abort(ENDED);
        this.#requests.close();
      }
      if (this.#isCancelled) throw cancelled('the call');
      this.line.end(undefined);
      return undefined;
    } catch (thrown) {
      const error = this.#isCancelled ? cancelled('the call') : toDrystoneError(thrown);
      this.line.end(error);
      return error;
    }
  }

  async #handle(): Promise<void> {
    const { method, handler } = this.served;
    const { caller, accessToken } = this.headers;
    const { signal } = this.#aborted;
    const context = { signal, peer: '192.0.2.1:1', caller, accessToken };
    const input = method.requestStream ? this.#parsedRequests() : await this.#onlyRequest();
    const answer = handler(input, context);
    if (method.responseStream) {
      await this.#responses.pass(answer as AsyncIterable<unknown>, method.responseSerialize, signal);
    } else {
      this.line.response(bytesOf(method.responseSerialize((await (answer as Promise<unknown>)) as never)));
    }
  }

  async #onlyRequest(): Promise<unknown> {
    for await (const message of this.#requests.messages()) return this.served.method.requestDeserialize(message);
    throw cancelled('the call');
  }

  async *#parsedRequests(): AsyncGenerator<unknown, void, undefined> {
    for await (const message of this.#requests.messages()) {
      if (this.#isCancelled) break;
      yield this.served.method.requestDeserialize(message);
    }
    if (this.#isCancelled) throw cancelled('the call');
  }
}
