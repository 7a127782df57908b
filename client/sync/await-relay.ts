import type { Clock } from '../../common/clock.js';
import { sleepUnless } from '../../common/concurrency/sleep-unless.js';
import { hasMovedOn } from '../plan/told.js';
import type { TreeStore } from '../state/tree-store.js';
import type { Standing } from '../upstream/standing.js';
import type { Inbox } from './inbox.js';
import type { Owed } from './owed.js';

export interface RelayParts {
  readonly standing: Standing;
  readonly store: TreeStore;
  readonly inbox: Inbox;
  readonly owed: Owed;
  readonly clock: Clock;
}

/**
 * Each time when the patience with agents is over, has everything planned anew that metadata still does not know of. That
 * agents were told what the folder no longer holds is forgotten before: metadata may have known it before they did, and says
 * nothing of it any more. An agent that stands in after peers alone have heard of changes is told them, once. Returns when
 * `signal` aborts.
 */
export async function awaitRelay(
  { standing, store, inbox, owed, clock }: RelayParts,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const news = standing.arm(signal);
    if (standing.isProvisionalDue) {
      const paths = [...store.provisional.pathsBelow('')];
      const replaced = paths.filter((path) => hasMovedOn(store, path));
      if (replaced.length > 0) await store.write({ provisional: new Map(replaced.map((path) => [path, undefined])) });
      // Those as well: a conflict with what was told has waited for this.
      inbox.changed(paths);
      await news;
    } else if (standing.takeOwesAgent()) {
      const paths = [...store.provisional.pathsBelow('')];
      owed.toAgent(paths);
      inbox.changed(paths);
    } else {
      await sleepUnless(news, standing.relayLeftMs, clock);
    }
  }
}
