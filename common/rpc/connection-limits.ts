import { constants, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { systemClock } from '../clock.js';
import { describeIdentity, type Identity } from '../identity/identity.js';
import { addressGroup } from './address-group.js';
import type { Caller } from './caller.js';
import { pingWhileHeard } from './silence.js';
import type { TrustMetrics } from './trust-metrics.js';

/** The limits that apply to connections. */
export type ConnectionLimits = Readonly<
  Record<'connections' | 'connectionsPerIdentity' | 'anonymousConnectionsPerAddress' | 'anonymousConnectionMs', number>
>;

export interface ConnectionsOptions {
  /** Who has made a connection, asked once, when it can carry calls. */
  readonly identify: (socket: Socket) => IdentifiedPeer;
  readonly metrics: Pick<TrustMetrics, 'connected' | 'connections'>;
  readonly limits: ConnectionLimits;
}

/** Who has made a connection, by the certificate that he has shown. */
export interface IdentifiedPeer {
  readonly caller: Caller;
  /** When his certificate ends: milliseconds since 1970 UTC, by the machine's clock; infinite where it never does. */
  readonly endsAtMs: number;
}

/** Who has made a connection, and from which IP address. */
export type ConnectedPeer = IdentifiedPeer & { readonly address: string };

/**
 * The connections of a server: who has made each, and how many there may be, of one identity too. Until somebody has shown
 * a certificate that counts, he holds one of the few places of his address, and as an anonymous caller only for a while.
 */
export class Connections {
  readonly #peers = new WeakMap<ServerHttp2Session, ConnectedPeer>();
  readonly #unidentified = new Map<string, number>();
  readonly #identified = new Map<string, number>();
  /** Gives back the place of a connection, by its remote address and port. */
  readonly #places = new Map<string, () => void>();
  #open = 0;

  constructor(private readonly options: ConnectionsOptions) {}

  /** Watches over a listener from now on. */
  watch(server: Http2Server): void {
    server.maxConnections = this.options.limits.connections;
    server.on('connection', (socket: Socket) => this.#arrived(socket));
    server.on('session', pingWhileHeard);
    server.on('session', (session: ServerHttp2Session) => this.#introduce(session));
    server.on('tlsClientError', () => this.options.metrics.connected(undefined));
  }

  /** Whether whoever has made the connection of a session has shown a certificate that counts. */
  isKnown(session: ServerHttp2Session | undefined): boolean {
    const peer = session === undefined ? undefined : this.#peers.get(session);
    return peer !== undefined && peer.caller.kind !== 'anonymous';
  }

  /**
   * Who has made the connection of a session. One whose certificate has ended is retired: what is open on it goes on, but
   * its client has to make a new connection for the calls after this one.
   */
  peerOf(session: ServerHttp2Session | undefined): ConnectedPeer {
    const peer = session === undefined ? undefined : this.#peers.get(session);
    if (session === undefined || peer === undefined) return NOBODY;
    if (peer.endsAtMs < systemClock.nowMs() && !session.closed) {
      session.goaway(constants.NGHTTP2_NO_ERROR);
      session.close();
    }
    return peer;
  }

  #arrived(socket: Socket): void {
    const key = endpointOf(socket);
    const group = addressGroup(socket.remoteAddress ?? '');
    const leave = enter(this.#unidentified, group, this.options.limits.anonymousConnectionsPerAddress);
    this.options.metrics.connections(++this.#open);
    socket.once('close', () => {
      this.options.metrics.connections(--this.#open);
      leave?.();
      if (this.#places.get(key) === leave) this.#places.delete(key);
    });
    if (leave === undefined) socket.destroy();
    else this.#places.set(key, leave);
  }

  #introduce(session: ServerHttp2Session): void {
    const identified = this.options.identify(session.socket);
    const { caller } = identified;
    this.#peers.set(session, { ...identified, address: session.socket.remoteAddress ?? '' });
    if (caller.kind !== 'anonymous') {
      this.#welcome(session, caller);
      return;
    }
    this.options.metrics.connected(caller);
    const timer = setTimeout(
      () => session.destroy(undefined, constants.NGHTTP2_CANCEL),
      this.options.limits.anonymousConnectionMs,
    );
    session.once('close', () => clearTimeout(timer));
  }

  /** From now on the connection is one of the identity's own, or none, where that has too many. */
  #welcome(session: ServerHttp2Session, caller: Identity): void {
    const { metrics, limits } = this.options;
    this.#places.get(endpointOf(session.socket))?.();
    const leave = enter(this.#identified, describeIdentity(caller), limits.connectionsPerIdentity);
    metrics.connected(leave === undefined ? undefined : caller);
    if (leave !== undefined) session.once('close', leave);
    // Not before all who were told of the session are done with it.
    else setImmediate(() => session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM));
  }
}

/** Takes a place of `key` until the result is called; undefined where it has none left. */
function enter(taken: Map<string, number>, key: string, places: number): (() => void) | undefined {
  const others = taken.get(key) ?? 0;
  if (others >= places) return undefined;
  taken.set(key, others + 1);
  let entered = true;
  return () => {
    if (!entered) return;
    entered = false;
    const left = (taken.get(key) ?? 1) - 1;
    if (left > 0) taken.set(key, left);
    else taken.delete(key);
  };
}

const NOBODY: ConnectedPeer = {
  caller: { kind: 'anonymous', because: 'no certificate' },
  endsAtMs: Number.POSITIVE_INFINITY,
  address: '',
};

/** Unique among the connections that are open on a listener. */
function endpointOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? ''} ${remotePort ?? ''}`;
}
