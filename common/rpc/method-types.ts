import type { Caller } from './caller.js';

/** One RPC as the generated code describes it: its path, its direction and its codecs. */
export interface MethodDefinition {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly requestSerialize: (value: never) => Buffer;
  readonly requestDeserialize: (bytes: Buffer) => unknown;
  readonly responseSerialize: (value: never) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => unknown;
}

/** All RPCs of a service, by their names in lower camel case. */
export type ServiceMethods = Readonly<Record<string, MethodDefinition>>;

type RequestIn<M extends MethodDefinition> = ReturnType<M['requestDeserialize']>;
type RequestOut<M extends MethodDefinition> = Parameters<M['requestSerialize']>[0];
type ResponseOut<M extends MethodDefinition> = Parameters<M['responseSerialize']>[0];
type ResponseIn<M extends MethodDefinition> = ReturnType<M['responseDeserialize']>;

/** What a handler may know of the call beside its requests. */
export interface CallContext {
  /** Aborts when the client cancels, its deadline passes, the connection is lost or the server ends the call. */
  readonly signal: AbortSignal;
  /** The client's address, for logs. */
  readonly peer: string;
  /** Who calls: one of those for whom the RPC is. */
  readonly caller: Caller;
  /** The access token that came with the call, unverified; undefined where there was none. */
  readonly accessToken: string | undefined;
}

/**
 * How a service implements an RPC: plain functions over values and async iterables. A thrown error becomes the status.
 *
 * The end of the requests is no consent. Where a client cancels, they raise CANCELLED or just end, as if the client had
 * half-closed: Node's HTTP/2 sends the end of the stream before the reset. `signal` aborts in both cases, a moment later.
 * What is to be done as a whole must come in one message.
 */
export type Handler<M extends MethodDefinition> = M extends { requestStream: true; responseStream: true }
  ? (requests: AsyncIterable<RequestIn<M>>, context: CallContext) => AsyncIterable<ResponseOut<M>>
  : M extends { responseStream: true }
    ? (request: RequestIn<M>, context: CallContext) => AsyncIterable<ResponseOut<M>>
    : (request: RequestIn<M>, context: CallContext) => Promise<ResponseOut<M>>;

/** A function for every RPC of a service. */
export type Implementation<S extends ServiceMethods> = { readonly [Name in keyof S]: Handler<S[Name]> };

/** How a caller bounds a call. */
export interface CallOptions {
  /** Cancels the call. */
  readonly signal?: AbortSignal;
  /** Unary calls: `rpcLimits.unaryTimeoutMs` unless set. Streams: none unless set. */
  readonly timeoutMs?: number;
  /** Sent along, for servers that act on it. */
  readonly accessToken?: string | undefined;
}

/**
 * How a caller uses an RPC. Streams are async iterables. The call begins with the first `next`; leaving the iteration
 * early cancels it, even while a `next` is waiting. A failed call throws a DrystoneError from the iteration; responses
 * that were still on their way are lost then, so what matters must be acknowledged while the call is well. Requests are
 * closed however the call ends; an error that they raise cancels the call and is thrown from the iteration as it is.
 */
export type MethodCall<M extends MethodDefinition> = M extends { requestStream: true; responseStream: true }
  ? (requests: AsyncIterable<RequestOut<M>>, options?: CallOptions) => AsyncGenerator<ResponseIn<M>, void, undefined>
  : M extends { responseStream: true }
    ? (request: RequestOut<M>, options?: CallOptions) => AsyncGenerator<ResponseIn<M>, void, undefined>
    : (request: RequestOut<M>, options?: CallOptions) => Promise<ResponseIn<M>>;

/** A service as its callers see it; over gRPC from `RpcChannel.service`, or anything else with the same promises. */
export type ServiceCaller<S extends ServiceMethods> = { readonly [Name in keyof S]: MethodCall<S[Name]> };
