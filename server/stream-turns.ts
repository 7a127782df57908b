import type { Clock } from '../common/clock.js';
import { AbortableWaits } from '../common/concurrency/abortable-waits.js';
import { cancelled, DrystoneError } from '../common/errors.js';
import type { NamespaceId } from '../common/ids.js';
import { trustLimits } from '../common/limits.js';
import type { CallOptions } from '../common/rpc/method-types.js';

/**
 * Gets an access token for a namespace: one that lasts for longer than a stream does.
 *
 * @param refused the token of the call before, where the server has called it expired; it must not be given again
 */
export type Authorize = (namespaceId: NamespaceId, refused?: string) => Promise<string>;

export interface TurnOptions {
  readonly clock: Clock;
  readonly authorize: Authorize;
  readonly namespaceId: NamespaceId;
  readonly call: CallOptions | undefined;
}

/** One stream's part of a transfer that may need many. */
export class StreamTurn {
  readonly #over = new AbortController();
  readonly #ended = new AbortController();
  #closed: Promise<void> = Promise.resolve();

  /** @param options those of the stream's call. */
  constructor(
    clock: Clock,
    readonly options: CallOptions,
  ) {
    clock.sleep(trustLimits.blockStreamMs, this.#ended.signal).then(
      () => this.#over.abort(),
      () => undefined,
    );
  }

  /** Aborts when the stream shall ask and send no more; what is under way is still answered. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** The stream's requests, whose end {@link end} waits for. */
  async *requests<T>(requests: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    let close = (): void => undefined;
    this.#closed = new Promise((resolve) => (close = resolve));
    try {
      yield* requests;
    } finally {
      close();
    }
  }

  /** To be called when the call has ended. Resolves when nothing reads for this stream any more. */
  async end(): Promise<void> {
    this.#ended.abort();
    this.#over.abort();
    await this.#closed;
  }
}

/** What is left to do over streams. */
export interface Pending {
  /** What was begun and is not done. */
  readonly count: number;
  /** Whether another stream could do it. */
  readonly isRepeatable: boolean;
}

/**
 * Runs one stream after the other, each with a fresh access token and for no longer than `trustLimits.blockStreamMs`, until
 * the source has nothing left and nothing is pending; yields what they yield. A stream whose token the server calls expired
 * is followed by another one with a new token that does what is pending, unless that cannot be repeated, or the same
 * happens twice without anything yielded in between. Every other error is raised. CANCELLED when the call's signal aborts.
 */
export async function* inTurns<T>(
  { clock, authorize, namespaceId, call = {} }: TurnOptions,
  source: { isFinished(): Promise<boolean> },
  pending: Pending,
  open: (turn: StreamTurn) => AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  const wait = <V>(promise: Promise<V>): Promise<V> => untilAborted(promise, call.signal);
  let refused: string | undefined;
  while (pending.count > 0 || !(await wait(source.isFinished()))) {
    const accessToken = await wait(authorize(namespaceId, refused));
    const turn = new StreamTurn(clock, { ...call, accessToken });
    let hasYielded = false;
    let failure: DrystoneError | undefined;
    try {
      for await (const value of open(turn)) {
        hasYielded = true;
        yield value;
      }
    } catch (thrown) {
      if (!(thrown instanceof DrystoneError) || thrown.reason !== 'TOKEN_EXPIRED') throw thrown;
      failure = thrown;
    } finally {
      await turn.end();
    }
    const isSecond = refused !== undefined && !hasYielded;
    if (failure !== undefined && (isSecond || !pending.isRepeatable)) throw failure;
    refused = failure === undefined ? undefined : accessToken;
  }
}

/** What `promise` becomes, or CANCELLED as soon as `signal` aborts. */
async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  const waits = new AbortableWaits(signal);
  try {
    const outcome = await waits.until(promise.then((value) => ({ value })));
    if (outcome === undefined) throw cancelled('the transfer');
    return outcome.value;
  } finally {
    waits.end();
  }
}
