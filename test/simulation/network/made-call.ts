import { DrystoneError } from '../../../common/errors.js';
import type { CallOptions, MethodDefinition } from '../../../common/rpc/method-types.js';
import { Mailbox } from './mailbox.js';
import { bytesOf, Passage } from './passage.js';

/** Why a signal aborts: made once, because an error costs more than what it tells here. */
const ENDED = new Error('the call has ended');

/** How a call reaches its server. */
export interface CallLine {
  request(message: Buffer): void;
  requestsEnded(): void;
  responseTaken(): void;
  cancel(): void;
}

/** How a call that was made has ended. */
export interface Outcome {
  readonly error: DrystoneError | undefined;
}

/** One call at the client, from its first message to its end. */
export class MadeCall {
  readonly responses: Mailbox;
  readonly outcome: Promise<Outcome>;
  /** What the requests raised, which ended the call. */
  requestFailure: { readonly thrown: unknown } | undefined;
  readonly #requests: Passage;
  readonly #ended = new AbortController();
  #settle: (outcome: Outcome) => void = () => undefined;

  constructor(
    private readonly method: MethodDefinition,
    private readonly line: CallLine,
    private readonly onEnd: () => void,
  ) {
    this.outcome = new Promise((resolve) => (this.#settle = resolve));
    this.responses = new Mailbox(() => line.responseTaken());
    this.#requests = new Passage((message) => line.request(message));
  }

  /** Sends the requests; a single one where `input` is no stream of them. */
  start(input: unknown, signal: CallOptions['signal']): void {
    const onAbort = (): void => this.cancel();
    signal?.addEventListener('abort', onAbort, { once: true });
    void this.outcome.then(() => signal?.removeEventListener('abort', onAbort));
    if (!this.method.requestStream) {
      this.line.request(bytesOf(this.method.requestSerialize(input as never)));
      this.line.requestsEnded();
      return;
    }
    this.#requests
      .pass(input as AsyncIterable<unknown>, this.method.requestSerialize, this.#ended.signal)
      .then(() => {
        if (!this.#ended.signal.aborted) this.line.requestsEnded();
      })
      .catch((thrown: unknown) => {
        this.requestFailure = { thrown };
        this.cancel();
      });
  }

  requestTaken(): void {
    this.#requests.taken();
  }

  /** The call is over, as the server says or as the connection tells. The first word counts. */
  end(error: DrystoneError | undefined): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort(ENDED);
    this.responses.close();
    this.#settle({ error });
    this.onEnd();
  }

  cancel(): void {
    if (this.#ended.signal.aborted) return;
    this.line.cancel();
    this.end(new DrystoneError('CANCELLED', 'CANCELLED', 'the call was cancelled'));
  }
}
