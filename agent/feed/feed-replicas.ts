import type { Clock } from '../../common/clock.js';
import { ChangeSignal } from '../../common/concurrency/change-signal.js';
import { retryDelayMs } from '../../common/concurrency/retry.js';
import { toDrystoneError } from '../../common/errors.js';
import type { NamespaceId } from '../../common/ids.js';
import type { Random } from '../../common/random.js';
import { followFeed, type FollowerParts } from './follow-feed.js';
import { relayLog, type RelayParts } from './relay-log.js';

export interface ReplicaParts extends FollowerParts, RelayParts {
  readonly clock: Clock;
  readonly random: Random;
}

/** What runs for one namespace. */
interface Replica {
  readonly logged: ChangeSignal;
  readonly stopping: AbortController;
  readonly running: Promise<unknown>;
}

/**
 * The replicas of the namespaces that are assigned to an agent: each follows metadata's feed, and passes on what devices
 * have pushed, for as long as it is assigned. A line that breaks is tried again for ever, with growing, jittered delays.
 */
export class FeedReplicas {
  readonly #replicas = new Map<NamespaceId, Replica>();
  #changing: Promise<void> = Promise.resolve();

  constructor(private readonly parts: ReplicaParts) {}

  /** Follows these namespaces too, if it does not yet; returns at once. */
  follow(namespaceIds: readonly NamespaceId[]): void {
    for (const id of namespaceIds) if (!this.#replicas.has(id)) this.#replicas.set(id, this.#start(id));
  }

  /**
   * Follows these namespaces, and no others: what is kept of others is dropped. Calls take effect in their order; never
   * rejects.
   */
  replace(namespaceIds: readonly NamespaceId[]): Promise<void> {
    const assigned = new Set(namespaceIds);
    const { store, logger } = this.parts;
    this.#changing = this.#changing.then(async () => {
      try {
        await this.#stopAll((id) => !assigned.has(id));
        for (const id of await store.namespaces()) if (!assigned.has(id)) await store.drop(id);
      } catch (thrown) {
        logger.error({ err: thrown }, 'the feed of a namespace that is no longer assigned could not be dropped');
      }
      this.follow(namespaceIds);
    });
    return this.#changing;
  }

  /** A message waits in a namespace's log. */
  logged(namespaceId: NamespaceId): void {
    this.#replicas.get(namespaceId)?.logged.notify();
  }

  /** Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    await this.#changing;
    await this.#stopAll(() => true);
  }

  #start(namespaceId: NamespaceId): Replica {
    const logged = new ChangeSignal();
    const stopping = new AbortController();
    const { signal } = stopping;
    const following = this.#keepOn(signal, (onProgress) =>
      followFeed(this.parts, namespaceId, { signal, onPage: onProgress }),
    );
    const relaying = this.#keepOn(signal, async (onProgress) => {
      const more = logged.arm(signal);
      await relayLog(this.parts, namespaceId, { signal, onRelayed: onProgress });
      await more;
    });
    return { logged, stopping, running: Promise.all([following, relaying]) };
  }

  /** Does `work` again and again until `signal` aborts; after a failure with a delay. */
  async #keepOn(signal: AbortSignal, work: (onProgress: () => void) => Promise<void>): Promise<void> {
    const { clock, random, logger } = this.parts;
    for (let failures = 0; ;) {
      const error = await work(() => (failures = 0)).then(() => undefined, toDrystoneError);
      if (signal.aborted) return;
      if (error === undefined) continue;
      const delayMs = retryDelayMs(failures++, error, random);
      const level = error.isTransient ? 'debug' : 'warn';
      logger[level]({ reason: error.reason, delayMs }, `a feed does not keep up with metadata: ${error.message}`);
      await clock.sleep(delayMs, signal).catch(() => undefined);
    }
  }

  async #stopAll(which: (namespaceId: NamespaceId) => boolean): Promise<void> {
    const stopped = [...this.#replicas].filter(([id]) => which(id));
    for (const [id, { stopping }] of stopped) {
      stopping.abort();
      this.#replicas.delete(id);
    }
    await Promise.all(stopped.map(([, { running }]) => running));
  }
}
