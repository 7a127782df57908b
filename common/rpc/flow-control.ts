import { constants, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { Writable } from 'node:stream';
import {
  Server,
  type ServerCredentials,
  type ServerInterceptingCallInterface,
  type ServerOptions,
} from '@grpc/grpc-js';
import { rpcLimits } from '../limits.js';

/**
 * The one file that reaches into grpc-js and Node's streams, because neither offers this: the server's HTTP/2 windows
 * (its `grpc-node.flow_control_window` is read by clients only), its connections and which call comes by which, how long
 * the messages of one call may be, and how many it queues. The version of grpc-js is pinned exactly, and a test fails when the windows are not what is set here.
 */
interface ServerInternals {
  readonly commonServerOptions: { settings?: { initialWindowSize?: number; maxConcurrentStreams?: number } };
  createHttp2Server(credentials: ServerCredentials): Http2Server;
}

/**
 * A grpc-js server that knows its connections. Their windows are `rpcLimits.windowBytes` where `isKnown` says that who has
 * made one is known; for others all that is under way fits into the 64 KiB of HTTP/2. `onListener` is told of each HTTP/2
 * server that it makes, before that listens.
 */
export class WindowedServer extends Server {
  readonly #sessions = new Set<ServerHttp2Session>();

  constructor(
    options: ServerOptions,
    onListener: (server: Http2Server) => void,
    isKnown: (session: ServerHttp2Session) => boolean = () => true,
  ) {
    super(options);
    const internals = this as unknown as ServerInternals;
    const common = internals.commonServerOptions;
    common.settings = { ...common.settings, initialWindowSize: rpcLimits.windowBytes };
    const createHttp2Server = internals.createHttp2Server.bind(this);
    internals.createHttp2Server = (credentials) => {
      const http2Server = createHttp2Server(credentials);
      onListener(http2Server);
      http2Server.on('session', (session) => {
        if (isKnown(session)) session.setLocalWindowSize(rpcLimits.windowBytes);
        this.#sessions.add(session);
        session.once('close', () => this.#sessions.delete(session));
      });
      return http2Server;
    };
  }

  /** Ends every connection at once; the library's own, without channelz, knows of none and leaves them all open. */
  override forceShutdown(): void {
    super.forceShutdown();
    for (const session of this.#sessions) session.destroy(undefined, constants.NGHTTP2_CANCEL);
  }

  /** The connections open now. */
  get connectionCount(): number {
    return this.#sessions.size;
  }

  /** The receive windows in force, one entry a connection. */
  get windows(): ConnectionWindows[] {
    return [...this.#sessions].map((session) => ({
      connectionBytes: session.state.effectiveLocalWindowSize,
      streamBytes: session.localSettings.initialWindowSize,
      peerConnectionBytes: session.state.remoteWindowSize,
      peerStreamBytes: session.remoteSettings.initialWindowSize,
    }));
  }
}

/** The receive windows of the two ends of a connection, as HTTP/2 has agreed on them. */
export interface ConnectionWindows {
  readonly connectionBytes: number | undefined;
  readonly streamBytes: number | undefined;
  /** What the peer's connection may still be sent: its whole window where nothing is under way. */
  readonly peerConnectionBytes: number | undefined;
  readonly peerStreamBytes: number | undefined;
}

interface CallInternals {
  readonly nextCall?: CallInternals;
  readonly stream: { readonly session?: ServerHttp2Session };
  readonly decoder: { maxReadMessageLength: number };
  maxReceiveMessageSize: number;
}

function innermost(call: ServerInterceptingCallInterface): CallInternals {
  let inner = call as unknown as CallInternals;
  while (inner.nextCall !== undefined) inner = inner.nextCall;
  return inner;
}

/** The connection by which a call comes, as a server interceptor sees the call; undefined once it is lost. */
export function sessionOf(call: ServerInterceptingCallInterface): ServerHttp2Session | undefined {
  return innermost(call).stream.session;
}

/**
 * Bounds the messages that a call may bring, before and after they are decompressed; longer ones end it with
 * RESOURCE_EXHAUSTED before they are read. To be called by a server interceptor, before the call is started.
 */
export function boundRequests(call: ServerInterceptingCallInterface, bytes: number): void {
  const inner = innermost(call);
  inner.maxReceiveMessageSize = bytes;
  inner.decoder.maxReadMessageLength = bytes;
}

interface WritableInternals {
  readonly _writableState: { highWaterMark: number };
}

/** Bounds how many messages grpc-js queues on a call before a write asks to wait; its own bound is 16 of any size. */
export function boundWriteQueue(call: Writable, messages: number): void {
  (call as unknown as WritableInternals)._writableState.highWaterMark = messages;
}
