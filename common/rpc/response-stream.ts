import {
  status as grpcCode,
  type ClientDuplexStream,
  type ClientReadableStream,
  type StatusObject,
} from '@grpc/grpc-js';
import { rpcLimits } from '../limits.js';
import { boundWriteQueue } from './flow-control.js';
import { MessageReader } from './message-reader.js';
import { writeAll } from './write-all.js';

type DuplexCall = ClientDuplexStream<unknown, unknown>;
export type StreamCall = ClientReadableStream<unknown> | DuplexCall;

export interface ResponseStreamOptions {
  /** Begins the call, or raises. */
  readonly start: () => StreamCall;
  /** What to send over it, where it is a call that sends a stream. */
  readonly requests: AsyncIterable<unknown> | undefined;
  /** The error that a failed call raises. */
  readonly failure: (status: StatusObject) => Error;
}

/**
 * The responses of one call, which begins with the first `next`. Leaving the iteration cancels it, even where a `next` is
 * still waiting: that one then ends without a value. Requests that raise cancel it too, and their error is raised here.
 * However the call ends, the requests are closed.
 */
export function streamResponses(options: ResponseStreamOptions): AsyncGenerator<unknown, void, undefined> {
  let begun: BegunCall | undefined;
  let left = false;
  const receive = async function* (): AsyncGenerator<unknown, void, undefined> {
    const { call, status, requests } = (begun = begin(options));
    try {
      yield* new MessageReader(call, rpcLimits.messagesQueued).messages();
      const received = await status;
      if (requests.failure !== undefined) throw requests.failure.thrown;
      if (received.code !== grpcCode.OK && !left) throw options.failure(received);
    } finally {
      call.cancel();
    }
  };
  const responses = receive();
  const leave = responses.return.bind(responses);
  // A generator left to itself would hear of its end only with the next message.
  responses.return = (value) => {
    left = true;
    begun?.call.cancel();
    return leave(value);
  };
  return responses;
}

interface BegunCall {
  readonly call: StreamCall;
  readonly status: Promise<StatusObject>;
  readonly requests: { failure?: { readonly thrown: unknown } };
}

function begin({ start, requests }: ResponseStreamOptions): BegunCall {
  const call = start();
  const ended = new AbortController();
  const status = new Promise<StatusObject>((resolve) => {
    call.once('status', (received: StatusObject) => {
      ended.abort();
      resolve(received);
    });
  });
  // The status tells what went wrong; the stream's own error event says the same again.
  call.on('error', () => undefined);
  const begun: BegunCall = { call, status, requests: {} };
  if (requests !== undefined) {
    boundWriteQueue(call as DuplexCall, rpcLimits.messagesQueued);
    send(call as DuplexCall, requests, ended.signal).catch((thrown: unknown) => {
      begun.requests.failure = { thrown };
      call.cancel();
    });
  }
  return begun;
}

async function send(call: DuplexCall, requests: AsyncIterable<unknown>, ended: AbortSignal): Promise<void> {
  await writeAll(call, requests, ended);
  if (!ended.aborted) call.end();
}
