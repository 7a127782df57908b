import { Client, connectivityState, type ChannelCredentials, type ClientOptions } from '@grpc/grpc-js';
import { systemClock } from '../clock.js';
import { retryLimits } from '../limits.js';

export interface RenewedClientOptions {
  /** HOST:PORT. */
  readonly address: string;
  readonly credentials: ChannelCredentials;
  readonly options: ClientOptions;
  /** How long it may take until a connection stands. */
  readonly connectMs: number;
}

/** Of a channel that was to connect and has not. */
const failedStates = new Set([connectivityState.CONNECTING, connectivityState.TRANSIENT_FAILURE]);

/**
 * A client of grpc-js that is made anew where no connection comes about in time. The library leaves that to the system, which
 * goes on for two minutes on a line that swallows packets, all with the addresses with which it began: what waits would wait
 * as long, also when the line has long been back.
 */
export class RenewedClient {
  #client: Client;
  #isWatched = false;
  #isClosed = false;

  constructor(private readonly parts: RenewedClientOptions) {
    this.#client = this.#make(retryLimits.initialDelayMs);
  }

  /** To begin a call with, now: calls that wait for a connection when their client is given up end with UNAVAILABLE. */
  get current(): Client {
    this.#watch();
    return this.#client;
  }

  /** Calls that are open go on. Idempotent. */
  close(): void {
    this.#isClosed = true;
    closeSoon(this.#client);
  }

  #watch(): void {
    if (this.#isWatched || this.#isClosed) return;
    const client = this.#client;
    const channel = client.getChannel();
    const deadline = systemClock.nowMs() + this.parts.connectMs;
    const look = (late?: Error): void => {
      // Asked to connect as well, a channel that is being closed would do so.
      const state = channel.getConnectivityState(false);
      this.#isWatched = !this.#isClosed && late === undefined && state !== connectivityState.READY;
      if (this.#isWatched) channel.watchConnectivityState(state, deadline, look);
      else if (!this.#isClosed && failedStates.has(state)) this.#renew(state);
    };
    look();
  }

  #renew(state: connectivityState): void {
    closeSoon(this.#client);
    // Where attempts were refused they go on as rarely as they had become.
    const isRefused = state === connectivityState.TRANSIENT_FAILURE;
    this.#client = this.#make(isRefused ? retryLimits.maxDelayMs : retryLimits.initialDelayMs);
  }

  #make(delayMs: number): Client {
    const { address, credentials, options } = this.parts;
    return new Client(address, credentials, {
      ...options,
      'grpc.initial_reconnect_backoff_ms': delayMs,
      'grpc.max_reconnect_backoff_ms': retryLimits.maxDelayMs,
    });
  }
}

/**
 * A first call that was just begun hands the address on in the next turn, also to a channel that is closed by then, and that
 * would connect, for good.
 */
function closeSoon(client: Client): void {
  setImmediate(() => setImmediate(() => client.close()));
}
