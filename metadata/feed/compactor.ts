import type { Clock } from '../../common/clock.js';
import type { NamespaceId, NamespaceName } from '../../common/ids.js';
import { metadataLimits, wireLimits } from '../../common/limits.js';
import type { MetadataStore } from '../store/contract.js';

export interface CompactorParts {
  readonly store: Pick<MetadataStore, 'directory' | 'knowledge'>;
  readonly clock: Clock;
  /** Told how many deletions were forgotten. */
  readonly onForgotten: (count: number) => void;
}

/** Forgets deletions that nobody has to hear of any more. */
export class Compactor {
  constructor(readonly parts: CompactorParts) {}

  /** Looks through all namespaces every `metadataLimits.compactionIntervalMs`, until `signal` aborts. */
  async keepWatch(signal: AbortSignal, onFailure: (thrown: unknown) => void): Promise<void> {
    while (!signal.aborted) {
      await this.compactAll(signal).catch(onFailure);
      // A sleep that is interrupted is the end of the watch.
      await this.parts.clock.sleep(metadataLimits.compactionIntervalMs, signal).catch(() => undefined);
    }
  }

  /** Looks through all namespaces once. Others write between two steps. */
  async compactAll(signal: AbortSignal): Promise<void> {
    const { directory } = this.parts.store;
    let after: NamespaceName | undefined;
    for (let hasMore = true; hasMore && !signal.aborted;) {
      const page = await directory.listNamespaces(after, wireLimits.rowsPerPage);
      for (const { id } of page.rows) await this.#compact(id, signal);
      after = page.rows.at(-1)?.name;
      hasMore = page.hasMore;
    }
  }

  async #compact(namespaceId: NamespaceId, signal: AbortSignal): Promise<void> {
    const { store, clock, onForgotten } = this.parts;
    for (let isDone = false; !isDone && !signal.aborted;) {
      const step = await store.knowledge.compact(namespaceId, clock.nowMs());
      if (step.forgotten > 0) onForgotten(step.forgotten);
      isDone = step.isDone;
    }
  }
}
