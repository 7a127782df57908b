import { ChangeSignal } from '../../common/concurrency/change-signal.js';
import type { NamespaceId } from '../../common/ids.js';

/** Wakes those who wait for a namespace's feed to move. Memory goes to namespaces that somebody waits for, and no others. */
export class FeedSignals {
  readonly #signals = new Map<NamespaceId, ChangeSignal>();

  /** A promise that resolves when the feed has moved or `signal` aborts; see {@link ChangeSignal.arm}. */
  arm(namespaceId: NamespaceId, signal: AbortSignal): Promise<void> {
    let feed = this.#signals.get(namespaceId);
    if (feed === undefined) {
      feed = new ChangeSignal();
      this.#signals.set(namespaceId, feed);
    }
    return feed.arm(signal);
  }

  /** The feed of a namespace has moved. */
  notify(namespaceId: NamespaceId): void {
    const feed = this.#signals.get(namespaceId);
    // Those who wait on arm anew, on a new signal; where nobody does, nothing stays.
    this.#signals.delete(namespaceId);
    feed?.notify();
  }
}
