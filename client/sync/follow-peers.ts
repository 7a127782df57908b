import type { Clock } from '../../common/clock.js';
import { anySignal } from '../../common/concurrency/any-signal.js';
import { sleepUnless } from '../../common/concurrency/sleep-unless.js';
import { toDrystoneError, type DrystoneError } from '../../common/errors.js';
import type { DeviceId } from '../../common/ids.js';
import { clientLimits, peerLimits } from '../../common/limits.js';
import type { Logger } from '../../common/logging.js';
import type { PeerFeed } from '../peers/peer-directory.js';
import type { Standing } from '../upstream/standing.js';
import { followFeed, type FeedFollowerParts } from './feed-follower.js';

/** Peers that are connected. */
export interface ConnectedPeers {
  feeds(): readonly PeerFeed[];
  /** Resolves when another was connected to, or `signal` aborts. */
  arm(signal: AbortSignal): Promise<void>;
}

export interface PeersFollowerParts {
  readonly standing: Standing;
  readonly peers: ConnectedPeers;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'info'>;
  /** How the feed of a peer is followed. */
  readonly following: (peer: PeerFeed) => FeedFollowerParts;
}

/**
 * While metadata and agents are away, follows the feeds of all peers that are connected and may be believed. Returns when
 * `signal` aborts; that a peer fails, refuses, or is not to be believed, is no reason to end: it is left alone for
 * `peerLimits.pauseMs`, or as much longer as it asks for.
 */
export async function followPeers(parts: PeersFollowerParts, signal: AbortSignal): Promise<void> {
  const { standing } = parts;
  while (!signal.aborted) {
    const news = standing.arm(signal);
    if (standing.isDeserted) await new Gathering(parts, anySignal([signal, standing.served])).run();
    else await news;
  }
}

/** Peers that are followed at the same time, until a signal aborts. */
class Gathering {
  readonly #followed = new Map<DeviceId, Promise<void>>();
  /** Those whose feed was read to its end. */
  readonly #heard = new Set<DeviceId>();
  readonly #pausedUntilMs = new Map<DeviceId, number>();

  constructor(
    private readonly parts: PeersFollowerParts,
    private readonly signal: AbortSignal,
  ) {}

  async run(): Promise<void> {
    const { peers, clock } = this.parts;
    while (!this.signal.aborted) {
      const news = peers.arm(this.signal);
      for (const peer of peers.feeds()) this.#begin(peer);
      await sleepUnless(news, clientLimits.standInRetryMs, clock);
    }
    await Promise.all(this.#followed.values());
    this.parts.standing.hearsPeers(0);
  }

  #begin(peer: PeerFeed): void {
    const { deviceId } = peer;
    const isPaused = this.parts.clock.monotonicMs() < (this.#pausedUntilMs.get(deviceId) ?? -Infinity);
    if (isPaused || this.#followed.has(deviceId)) return;
    const following = this.#follow(peer).finally(() => {
      this.#followed.delete(deviceId);
      if (this.#heard.delete(deviceId)) this.#tellHeard();
    });
    this.#followed.set(deviceId, following);
  }

  /** Never rejects. */
  async #follow(peer: PeerFeed): Promise<void> {
    try {
      const feed = this.parts.following(peer);
      const onPage: FeedFollowerParts['onPage'] = (changed, isCaughtUp) => {
        feed.onPage(changed, isCaughtUp);
        if (!isCaughtUp || this.#heard.has(peer.deviceId)) return;
        this.#heard.add(peer.deviceId);
        this.#tellHeard();
      };
      // A signal each: so many listeners of one would look like a leak.
      await followFeed({ ...feed, onPage }, anySignal([this.signal]));
    } catch (thrown) {
      if (!this.signal.aborted) this.#failed(peer, toDrystoneError(thrown));
    }
  }

  #failed({ deviceId, onLost }: PeerFeed, error: DrystoneError): void {
    const { clock, logger } = this.parts;
    const pauseMs = Math.max(peerLimits.pauseMs, error.details.retryAfterMs ?? 0);
    // One whose line broke is there again when there is another connection.
    if (error.reason === 'TRANSPORT' || error.reason === 'DRAINING') onLost();
    else this.#pausedUntilMs.set(deviceId, clock.monotonicMs() + pauseMs);
    logger.info({ deviceId, reason: error.reason }, `the feed of a peer is not followed for now: ${error.message}`);
  }

  #tellHeard(): void {
    if (!this.signal.aborted) this.parts.standing.hearsPeers(this.#heard.size);
  }
}
