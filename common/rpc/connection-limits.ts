import { constants, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { systemClock } from '../clock.js';
import { addressGroup } from './address-group.js';
import type { Caller } from './caller.js';
import type { TrustMetrics } from './trust-metrics.js';

/** The limits that apply to connections. */
export type ConnectionLimits = Readonly<
  Record<'connections' | 'anonymousConnectionsPerAddress' | 'anonymousConnectionMs', number>
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
 * The connections of a server: who has made each, and how many there may be. Until somebody has shown a certificate that
 * counts, he holds one of the few places of his address, and as an anonymous caller only for a while.
 */
export class Connections {
  readonly #peers = new WeakMap<ServerHttp2Session, ConnectedPeer>();
  readonly #unidentified = new Map<string, number>();
  /** Gives back the place of a connection, by its remote address and port. */
  readonly #places = new Map<string, () => void>();
  #open = 0;

  constructor(private readonly options: ConnectionsOptions) {}

  /** Watches over a listener from now on. */
  watch(server: Http2Server): void {
    server.maxConnections = this.options.limits.connections;
    server.on('connection', (socket: Socket) => this.#arrived(socket));
    server.on('session', (session: ServerHttp2Session) => this.#identified(session));
    server.on('tlsClientError', () => this.options.metrics.connected(undefined));
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
    const leave = this.#enter(addressGroup(socket.remoteAddress ?? ''));
    this.options.metrics.connections(++this.#open);
    socket.once('close', () => {
      this.options.metrics.connections(--this.#open);
      leave?.();
      if (this.#places.get(key) === leave) this.#places.delete(key);
    });
    if (leave === undefined) socket.destroy();
    else this.#places.set(key, leave);
  }

  /** Takes a place of an address until the result is called; undefined where it has none left. */
  #enter(group: string): (() => void) | undefined {
    const taken = this.#unidentified.get(group) ?? 0;
    if (taken >= this.options.limits.anonymousConnectionsPerAddress) return undefined;
    this.#unidentified.set(group, taken + 1);
    let entered = true;
    return () => {
      if (!entered) return;
      entered = false;
      const others = (this.#unidentified.get(group) ?? 1) - 1;
      if (others > 0) this.#unidentified.set(group, others);
      else this.#unidentified.delete(group);
    };
  }

  #identified(session: ServerHttp2Session): void {
    const identified = this.options.identify(session.socket);
    const { caller } = identified;
    this.#peers.set(session, { ...identified, address: session.socket.remoteAddress ?? '' });
    this.options.metrics.connected(caller);
    if (caller.kind !== 'anonymous') {
      this.#places.get(endpointOf(session.socket))?.();
      return;
    }
    const timer = setTimeout(
      () => session.destroy(undefined, constants.NGHTTP2_CANCEL),
      this.options.limits.anonymousConnectionMs,
    );
    session.once('close', () => clearTimeout(timer));
  }
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
