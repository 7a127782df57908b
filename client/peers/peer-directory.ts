import type { Clock } from '../../common/clock.js';
import { ChangeSignal } from '../../common/concurrency/change-signal.js';
import { HASH_BYTES } from '../../common/block-hash.js';
import { mapAhead } from '../../common/concurrency/map-ahead.js';
import type { DrystoneError } from '../../common/errors.js';
import type { DeviceId, NamespaceId } from '../../common/ids.js';
import { peerLimits } from '../../common/limits.js';
import type { RpcChannel } from '../../common/rpc/client.js';
import type { ServingDevice } from '../../common/rpc/server-identity.js';
import type { BlockClient } from '../../server/block-client.js';
import type { BlockSource } from '../act/download/block-source.js';
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
  /** It broke off: another connection is made when its time comes. */
  readonly onFailure: (error: DrystoneError) => void;
}

export interface PeerDirectoryParts {
  readonly namespaceId: NamespaceId;
  readonly self: DeviceId;
  /** Opens a channel to the device and to nobody else. */
  readonly connect: (address: string, peer: ServingDevice) => RpcChannel;
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
}

interface KnownPeer {
  readonly deviceId: DeviceId;
  readonly told: Map<PeerWitness, FoundPeer>;
  connection: Connection | undefined;
  pausedUntilMs: number;
}

/**
 * The endpoints that give blocks of the namespace, as others have told of them, and the connections to those that have
 * proved to be who they should and have answered. One that fails is left alone for `peerLimits.pauseMs`, one that sends
 * wrong bytes for as long as this process lasts.
 */
export class PeerDirectory {
  readonly #peers = new Map<DeviceId, KnownPeer>();
  readonly #banned = new Set<DeviceId>();
  readonly #connected = new ChangeSignal();

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
      known?.told.set(witness, peer);
    }
  }

  /** Connects to those that are not connected and not left alone; resolves when each has answered or failed. Never rejects. */
  async connectAll(signal: AbortSignal): Promise<void> {
    const nowMs = this.parts.clock.monotonicMs();
    const idle = [...this.#peers.values()].filter(
      ({ connection, pausedUntilMs }) => connection === undefined && pausedUntilMs <= nowMs,
    );
    const work = mapAhead(eachOf(idle), peerLimits.probesAtOnce, (peer) => this.#connect(peer, signal));
    while ((await work.next()).done !== true);
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
      const onFailure = (error: DrystoneError): void => {
        if (peer.connection === connection) this.#failed(peer, error);
      };
      return [{ deviceId, feed: feedOver(connection.channel, deviceId), onFailure }];
    });
  }

  /** Resolves when another peer was connected to; see `ChangeSignal`. */
  arm(signal: AbortSignal): Promise<void> {
    return this.#connected.arm(signal);
  }

  close(): void {
    for (const peer of this.#peers.values()) this.#forget(peer);
  }

  #introduce(deviceId: DeviceId): KnownPeer | undefined {
    if (this.#peers.size >= peerLimits.known) return undefined;
    const peer: KnownPeer = { deviceId, told: new Map(), connection: undefined, pausedUntilMs: -Infinity };
    this.#peers.set(deviceId, peer);
    this.parts.tally.add('peersFound');
    return peer;
  }

  async #connect(peer: KnownPeer, signal: AbortSignal): Promise<void> {
    const { connect, blocksOver, clock, tally } = this.parts;
    const { deviceId: device, told } = peer;
    // What was heard on the network itself is nearer than what metadata was told.
    const addresses = new Set([told.get('lan'), told.get('metadata')].flatMap((found) => found?.addresses ?? []));
    for (const address of addresses) {
      if (signal.aborted) return;
      const channel = connect(address, { device });
      const blocks = blocksOver(channel);
      if ((await this.#answers(blocks, signal)) && this.#peers.get(device) === peer) {
        peer.connection = { channel, blocks };
        tally.add('peerSessions');
        this.#connected.notify();
        return;
      }
      channel.close();
    }
    peer.pausedUntilMs = clock.monotonicMs() + peerLimits.pauseMs;
  }

  /** Whether the other end is who it should be, takes our access token, and answers in time. */
  async #answers(blocks: BlockClient, signal: AbortSignal): Promise<boolean> {
    const over = new AbortController();
    const together = AbortSignal.any([signal, over.signal]);
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
