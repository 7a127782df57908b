import type { Clock } from '../../common/clock.js';
import { sleepUnless } from '../../common/concurrency/sleep-unless.js';
import type { TreeStore } from '../state/tree-store.js';
import type { Standing } from '../upstream/standing.js';
import type { Inbox } from './inbox.js';

/**
 * Each time when the patience with agents is over, has everything planned anew that metadata still does not know of. Returns
 * when `signal` aborts.
 */
export async function awaitRelay(
  { standing, store, inbox, clock }: { standing: Standing; store: TreeStore; inbox: Inbox; clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const news = standing.arm(signal);
    if (standing.isProvisionalDue) {
      inbox.changed(store.provisional.pathsBelow(''));
      await news;
    } else {
      await sleepUnless(news, standing.relayLeftMs, clock);
    }
  }
}
