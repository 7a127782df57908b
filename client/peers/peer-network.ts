import { networkInterfaces } from 'node:os';
import { anySignal } from '../../common/concurrency/any-signal.js';
import { ChangeSignal } from '../../common/concurrency/change-signal.js';
import { parseDeviceId, type Cursor, type DeviceId, type NamespaceId, type PremisesName } from '../../common/ids.js';
import { peerLimits } from '../../common/limits.js';
import type { ProgramContext } from '../../common/program/context.js';
import type { ServiceCaller } from '../../common/rpc/method-types.js';
import type { LocatorServiceService } from '../../proto/gen/drystone/metadata/v1/locator.js';
import type { BlockSource } from '../act/download/block-source.js';
import type { ComingBlocks } from './coming-blocks.js';
import type { LanDiscovery } from './lan-discovery.js';
import { reachableAddresses } from './peer-addresses.js';
import type { FoundPeer, PeerDirectory, PeerFeed } from './peer-directory.js';
import type { PeerServer } from './peer-server.js';

/** How an endpoint takes part. */
export interface PeerConfig {
  /** HOST:PORT at which it gives blocks to others; port 0 takes a free one. */
  readonly listen: string;
  /** Go by what is heard on the local network alone: metadata is neither told nor asked. */
  readonly onlyLan: boolean;
}

export interface PeerNetworkParts {
  readonly config: PeerConfig;
  readonly self: DeviceId;
  readonly namespaceId: NamespaceId;
  readonly premises: PremisesName | undefined;
  readonly locator: ServiceCaller<LocatorServiceService>;
  readonly directory: PeerDirectory;
  readonly coming: ComingBlocks;
  /** Starts giving blocks, and telling what is known, at an address; raises what `startRpcServer` raises. */
  readonly serve: (listen: string) => Promise<PeerServer>;
  /** Makes sure that the keys of access tokens are known, and new. */
  readonly refreshKeys: () => Promise<unknown>;
  /** Looks for others on the local network; undefined where it cannot. */
  readonly discovery: (() => Promise<LanDiscovery>) | undefined;
  /** How far metadata's feed has been read. */
  readonly cursor: () => Cursor;
  /** Take part only once there is much to fetch: a sync that runs once may have nothing to do. */
  readonly waitsForWork: boolean;
  readonly context: Pick<ProgramContext, 'clock' | 'logger'>;
}

/** This endpoint among others of the namespace: it gives them blocks, says so, and knows who else does. */
export class PeerNetwork {
  readonly #needed = new ChangeSignal();
  readonly #lookedUp = new ChangeSignal();
  #isNeeded = false;
  #lookedUpAtMs = -Infinity;
  #leaseMs = Infinity;

  constructor(private readonly parts: PeerNetworkParts) {}

  /** See {@link PeerDirectory.feeds}. */
  feeds(): readonly PeerFeed[] {
    return this.parts.directory.feeds();
  }

  /** Resolves when another peer was connected to; see `ChangeSignal`. */
  arm(signal: AbortSignal): Promise<void> {
    return this.parts.directory.arm(signal);
  }

  get coming(): ComingBlocks {
    return this.parts.coming;
  }

  /**
   * Takes part until `signal` aborts. Raises FAILED_PRECONDITION (PORT_IN_USE, ADDRESS_UNUSABLE) where it cannot listen;
   * that others, or metadata, cannot be reached is no error.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { config, parts } = { ...this.parts, parts: this.parts };
    if (parts.waitsForWork && !(await this.#hasWork(signal))) return;
    await parts.refreshKeys().catch(() => undefined);
    if (signal.aborted) return;
    const server = await parts.serve(config.listen);
    const addresses = reachableAddresses(server.address, networkInterfaces());
    parts.context.logger.info({ address: server.address }, 'giving blocks to peers');
    const stopDiscovery = (await parts.discovery?.())?.start(server.address, (found) => {
      parts.directory.update('lan', found);
      this.#isNeeded = true;
      this.#needed.notify();
    });
    try {
      await Promise.all([this.#keepLookingUp(addresses, signal), parts.directory.keepConnected(signal)]);
    } finally {
      stopDiscovery?.();
      await Promise.all([this.#takeLeave(), server.drain(peerLimits.drainMs)]);
      parts.directory.close();
    }
  }

  /**
   * Whom to ask besides agents. Where there is much to fetch, others are looked for anew first, for
   * `peerLimits.lookUpWaitMs` at the most. Never rejects.
   */
  async sources(wantedBytes: number, signal: AbortSignal): Promise<BlockSource[]> {
    const { clock } = this.parts.context;
    const isStale = clock.monotonicMs() - this.#lookedUpAtMs > peerLimits.lookUpAgeMs;
    if (wantedBytes >= peerLimits.lookUpFromBytes && isStale) {
      const over = new AbortController();
      const lookedUp = this.#lookedUp.arm(over.signal);
      this.#isNeeded = true;
      this.#needed.notify();
      const patience = clock.sleep(peerLimits.lookUpWaitMs, anySignal([signal, over.signal]));
      await Promise.race([lookedUp, patience]).catch(() => undefined);
      over.abort();
      await patience.catch(() => undefined);
    }
    return this.parts.directory.sources();
  }

  async #hasWork(signal: AbortSignal): Promise<boolean> {
    while (!this.#isNeeded && !signal.aborted) await this.#needed.arm(signal);
    return !signal.aborted;
  }

  async #keepLookingUp(addresses: readonly string[], signal: AbortSignal): Promise<void> {
    const { clock } = this.parts.context;
    while (!signal.aborted) {
      this.#isNeeded = false;
      await this.#lookUp(addresses, signal);
      this.#lookedUpAtMs = clock.monotonicMs();
      this.#lookedUp.notify();
      await this.#restOrNeed(signal);
    }
  }

  /** Says where this endpoint is, asks who else there is, and connects to them. */
  async #lookUp(addresses: readonly string[], signal: AbortSignal): Promise<void> {
    const { namespaceId, locator, directory, config, premises = '', refreshKeys, cursor } = this.parts;
    await refreshKeys().catch(() => undefined);
    if (!config.onlyLan) {
      const advert = { namespaceId, addresses: [...addresses], cursor: BigInt(cursor()), premises };
      const said = locator.advertise(advert, { signal }).then(
        ({ leaseMs }) => (this.#leaseMs = leaseMs),
        () => undefined,
      );
      // What metadata knows of this endpoint decides whom it tells of first.
      await said;
      const found = await locator.locate({ namespaceId, hashes: new Uint8Array(0) }, { signal }).catch(() => undefined);
      if (found !== undefined)
        directory.update(
          'metadata',
          found.peers.flatMap((peer) => this.#foundOf(peer)),
        );
    }
    await directory.connectAll(signal);
  }

  #foundOf(peer: { deviceId: string; addresses: readonly string[]; premises: string }): FoundPeer[] {
    try {
      const deviceId = parseDeviceId('peers.device_id', peer.deviceId);
      const isNear = this.parts.premises !== undefined && peer.premises === this.parts.premises;
      return [{ deviceId, addresses: peer.addresses, isNear }];
    } catch {
      // Of a newer release: it is not asked.
      return [];
    }
  }

  /** Waits until it is time to look again, or somebody wants it. */
  async #restOrNeed(signal: AbortSignal): Promise<void> {
    if (this.#isNeeded) return;
    const over = new AbortController();
    const together = anySignal([signal, over.signal]);
    const needed = this.#needed.arm(together);
    const restMs = Math.min(peerLimits.lookUpMs, this.#leaseMs * peerLimits.lookUpShare);
    const rest = this.parts.context.clock.sleep(restMs, together).catch(() => undefined);
    await Promise.race([needed, rest]);
    over.abort();
    await rest;
  }

  /** Others need not find out by themselves that this endpoint is gone. */
  async #takeLeave(): Promise<void> {
    if (this.#leaseMs === Infinity) return;
    const { namespaceId, locator } = this.parts;
    const farewell = { namespaceId, addresses: [], cursor: 0n, premises: '' };
    await locator.advertise(farewell, { timeoutMs: peerLimits.farewellMs }).catch(() => undefined);
  }
}
