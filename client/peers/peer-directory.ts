import type { Clock } from '../../common/clock.js';
import { anySignal } from '../../common/concurrency/any-signal.js';
import { ChangeSignal } from '../../common/concurrency/change-signal.js';
import { HASH_BYTES } from '../../common/block-hash.js';
import { sleepUnless } from '../../common/concurrency/sleep-unless.js';
import type { DrystoneError } from '../../common/errors.js';
import type { DeviceId, NamespaceId } from '../../common/ids.js';
import { peerLimits } from '../../common/limits.js';
import type { RpcChannel } from '../../common/rpc/client.js';
import type { ServingDevice } from '../../common/rpc/server-identity.js';
import type { BlockClient } from '../../server/block-client.js';
import type { BlockSource } from '../act/download/block-source.js';
import { SlotGate } from '../act/slot-gate.js';
import type { ReadableFeed } from '../connection/feed-calls.js';
import type { SyncTally } from '../tally.js';

/** Who has told of a peer. */
export type PeerWitness = 'metadata' | 'lan';

/** An endpoint that gives blocks, as somebody has told of it. Nothing of it is believed before it has proved who it is. */
export interface FoundPeer {
  readonly deviceId: DeviceId;
  /** HOST:PORT, the best first. */
  readonly addresses: readonly string[];
  /** Whether it is at this endpoint's site, or on its network. */
  readonly isNear: boolean;
}

/** The feed of a peer, for as long as it is connected. */
export interface PeerFeed {
  readonly deviceId: DeviceId;
  readonly feed: ReadableFeed;
  /** To be called when it broke off: another connection is made soon. */
  readonly onLost: () => void;
}

export interface PeerDirectoryParts {
  readonly namespaceId: NamespaceId;
  readonly self: DeviceId;
  /** Opens a channel to the device and to nobody else. */
  readonly connect: (address: string, peer: ServingDevice, connectMs: number) => RpcChannel;
  /** The block service at the other end of a channel. */
  readonly blocksOver: (channel: RpcChannel) => BlockClient;
  /** The feed of the device at the other end. */
  readonly feedOver: (channel: RpcChannel, device: DeviceId) => ReadableFeed;
  readonly clock: Clock;
  readonly tally: SyncTally;
}

interface Connection {
  readonly channel: RpcChannel;
  readonly blocks: BlockClient;
  readonly sinceMs: number;
}

interface KnownPeer {
  readonly deviceId: DeviceId;
  readonly told: Map<PeerWitness, FoundPeer>;
  connection: Connection | undefined;
  /** An attempt to connect that is under way; never rejects. */
  connecting: Promise<void> | undefined;
  /** How often in a row there was no connection to be had, or one that broke off soon. */
  failures: number;
  pausedUntilMs: number;
}

/**
 * The endpoints that give blocks of the namespace, as others have told of them, and the connections to those that have
 * proved to be who they should and have answered. One that fails as a source is left alone for `peerLimits.pauseMs`, one
 * whose line breaks or that cannot be reached for less at first, one that sends wrong bytes for as long as this process lasts.
 */
export class PeerDirectory {
  readonly #peers = new Map<DeviceId, KnownPeer>();
  readonly #banned = new Set<DeviceId>();
  readonly #connected = new ChangeSignal();
  /** There may be somebody to connect to, now or at another time than before. */
  readonly #moved = new ChangeSignal();
  readonly #probes = new SlotGate(peerLimits.probesAtOnce);

  constructor(private readonly parts: PeerDirectoryParts) {}

  /** Takes in whole what one witness says: a peer of which nobody tells any more is forgotten. */
  update(witness: PeerWitness, found: readonly FoundPeer[]): void {
    const named = new Set(found.map(({ deviceId }) => deviceId));
    for (const peer of this.#peers.values()) {
      if (!named.has(peer.deviceId)) peer.told.delete(witness);
      if (peer.told.size === 0) this.#forget(peer);
    }
    for (const peer of found) {
      if (peer.deviceId === this.parts.self || this.#banned.has(peer.deviceId)) continue;
      const known = this.#peers.get(peer.deviceId) ?? this.#introduce(peer.deviceId);
      if (known !== undefined) this.#takeIn(known, witness, peer);
    }
    this.#moved.notify();
  }

  /** Connects to those that are not connected and not left alone; resolves when each has answered or failed. Never rejects. */
  async connectAll(signal: AbortSignal): Promise<void> {
    const nowMs = this.parts.clock.monotonicMs();
    const due = [...this.#peers.values()].filter(
      ({ connection, pausedUntilMs }) => connection === undefined && pausedUntilMs <= nowMs,
    );
    // Those on the network itself answer soonest, and are what is left where the line is down.
    due.sort((a, b) => Number(b.told.has('lan')) - Number(a.told.has('lan')));
    await Promise.all(due.map((peer) => (peer.connecting ??= this.#connect(peer, signal))));
  }

  /** Connects to all that are told of, and anew to those that are lost, each when its time comes, until `signal` aborts. */
  async keepConnected(signal: AbortSignal): Promise<void> {
    const { clock } = this.parts;
    while (!signal.aborted) {
      const moved = this.#moved.arm(signal);
      // Nobody waits for one that does not answer.
      void this.connectAll(signal);
      await sleepUnless(moved, this.#restMs(), clock);
    }
    for (const { connecting } of this.#peers.values()) await connecting;
  }

  /** Those that can be asked now, in no particular order. */
  sources(): BlockSource[] {
    return [...this.#peers.values()].flatMap((peer) => {
      const { connection, told, deviceId } = peer;
      if (connection === undefined) return [];
      const isNear = [...told.values()].some((found) => found.isNear);
      const kind = isNear ? 'site-peer' : 'remote-peer';
      return {
        id: deviceId,
        kind,
        tier: 0,
        blocks: connection.blocks,
        isUsable: () => peer.connection === connection,
        onFetched: (sizeBytes) => this.parts.tally.fetched(kind, sizeBytes),
        onFailure: (error) => this.#failed(peer, error),
      } satisfies BlockSource;
    });
  }

  /** The feeds of those that are connected now. */
  feeds(): PeerFeed[] {
    const { feedOver } = this.parts;
    return [...this.#peers.values()].flatMap((peer): PeerFeed[] => {
      const { connection, deviceId } = peer;
      if (connection === undefined) return [];
      const onLost = (): void => {
        if (peer.connection === connection) this.#lost(peer);
      };
      return [{ deviceId, feed: feedOver(connection.channel, deviceId), onLost }];
    });
  }

  /** Resolves when another peer was connected to; see `ChangeSignal`. */
  arm(signal: AbortSignal): Promise<void> {
    return this.#connected.arm(signal);
  }

  close(): void {
    for (const peer of this.#peers.values()) this.#forget(peer);
  }

  #takeIn(peer: KnownPeer, witness: PeerWitness, found: FoundPeer): void {
    const isMoved = String(peer.told.get(witness)?.addresses) !== String(found.addresses);
    peer.told.set(witness, found);
    if (!isMoved || peer.failures === 0) return;
    // It was not to be reached where it was.
    peer.failures = 0;
    peer.pausedUntilMs = -Infinity;
  }

  #introduce(deviceId: DeviceId): KnownPeer | undefined {
    if (this.#peers.size >= peerLimits.known) return undefined;
    const peer: KnownPeer = {
      deviceId,
      told: new Map(),
      connection: undefined,
      connecting: undefined,
      failures: 0,
      pausedUntilMs: -Infinity,
    };
    this.#peers.set(deviceId, peer);
    this.parts.tally.add('peersFound');
    return peer;
  }

  /** Until the first of those that are not connected may be tried again. */
  #restMs(): number {
    const idle = [...this.#peers.values()].filter(
      (peer) => peer.connection === undefined && peer.connecting === undefined,
    );
    return Math.min(...idle.map(({ pausedUntilMs }) => pausedUntilMs)) - this.parts.clock.monotonicMs();
  }

  /** Never rejects. */
  async #connect(peer: KnownPeer, signal: AbortSignal): Promise<void> {
    await this.#probes.enter();
    const connection = await this.#reach(peer, signal);
    this.#probes.leave();
    peer.connecting = undefined;
    if (connection === undefined) {
      this.#pauseAWhile(peer);
    } else if (this.#peers.get(peer.deviceId) !== peer) {
      connection.channel.close();
    } else {
      peer.connection = connection;
      this.parts.tally.add('peerSessions');
      this.#connected.notify();
    }
    this.#moved.notify();
  }

  /** A connection by the first address at which it is the peer that answers. */
  async #reach({ deviceId: device, told }: KnownPeer, signal: AbortSignal): Promise<Connection | undefined> {
    const { connect, blocksOver, clock } = this.parts;
    // What was heard on the network itself is nearer than what metadata was told.
    const addresses = new Set([told.get('lan'), told.get('metadata')].flatMap((found) => found?.addresses ?? []));
    for (const address of addresses) {
      if (signal.aborted) return undefined;
      // It may have been lost without a word; then others, or another way to it, are better than waiting.
      const channel = connect(address, { device }, peerLimits.probeMs);
      const blocks = blocksOver(channel);
      if (await this.#answers(blocks, signal)) return { channel, blocks, sinceMs: clock.monotonicMs() };
      channel.close();
    }
    return undefined;
  }

  /** Whether the other end is who it should be, takes our access token, and answers in time. */
  async #answers(blocks: BlockClient, signal: AbortSignal): Promise<boolean> {
    const over = new AbortController();
    const together = anySignal([signal, over.signal]);
    const late = this.parts.clock.sleep(peerLimits.probeMs, together).then(
      () => over.abort(),
      () => undefined,
    );
    try {
      const question = eachOf([Buffer.alloc(HASH_BYTES)]);
      let answers = 0;
      for await (const _ of blocks.missing(this.parts.namespaceId, question, { signal: together })) answers++;
      return answers > 0;
    } catch {
      return false;
    } finally {
      over.abort();
      await late;
    }
  }

  #failed(peer: KnownPeer, error: DrystoneError): void {
    if (error.reason === 'BLOCK_HASH_MISMATCH' && !this.#banned.has(peer.deviceId)) {
      this.#banned.add(peer.deviceId);
      this.parts.tally.add('peersBanned');
      this.#forget(peer);
      return;
    }
    // A new connection when its time comes: this one may be what is wrong.
    this.#disconnect(peer);
    peer.pausedUntilMs = this.parts.clock.monotonicMs() + peerLimits.pauseMs;
    this.#moved.notify();
  }

  /** Its line broke, which says nothing against it. */
  #lost(peer: KnownPeer): void {
    const lastedMs = this.parts.clock.monotonicMs() - (peer.connection?.sinceMs ?? Infinity);
    if (lastedMs > peerLimits.pauseMs) peer.failures = 0;
    this.#disconnect(peer);
    this.#pauseAWhile(peer);
    this.#moved.notify();
  }

  /** For longer each time. */
  #pauseAWhile(peer: KnownPeer): void {
    const pauseMs = Math.min(peerLimits.pauseMs, peerLimits.firstPauseMs * 2 ** Math.min(peer.failures++, 20));
    peer.pausedUntilMs = this.parts.clock.monotonicMs() + pauseMs;
  }

  #forget(peer: KnownPeer): void {
    this.#disconnect(peer);
    this.#peers.delete(peer.deviceId);
  }

  #disconnect(peer: KnownPeer): void {
    peer.connection?.channel.close();
    peer.connection = undefined;
  }
}

async function* eachOf<T>(values: readonly T[]): AsyncGenerator<T, void, undefined> {
  yield* values;
}
