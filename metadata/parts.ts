import { ChangeSignal } from '../common/concurrency/change-signal.js';
import type { ProgramContext } from '../common/program/context.js';
import type { ServedService } from '../common/rpc/server.js';
import { ReceiptVerifier } from './commit/receipt-verifier.js';
import { Assignments } from './directory/assignments.js';
import { Namespaces } from './directory/namespaces.js';
import { FeedReader } from './feed/feed-reader.js';
import { Subscriptions } from './feed/subscriptions.js';
import { WatcherLimit } from './feed/watcher-limit.js';
import { Fleet } from './fleet/fleet.js';
import { createCommitMetrics, createPresenceMetrics, registerStateGauges } from './metrics.js';
import { accountRoutes } from './routes/account-routes.js';
import { adminRoutes } from './routes/admin-routes.js';
import { commitRoutes } from './routes/commit-routes.js';
import { feedRoutes } from './routes/feed-routes.js';
import { fleetRoutes } from './routes/fleet-routes.js';
import { presenceRoutes } from './routes/presence-routes.js';
import type { MetadataStore, StoreChange } from './store/contract.js';

/** The metadata service without what surrounds it: its RPC services over a store. */
export interface MetadataParts {
  readonly services: readonly ServedService[];
  /** What has to be done as time passes, until `signal` aborts. */
  readonly keepWatch: (signal: AbortSignal) => Promise<void>;
}

/** Joins the parts of the service over `store`, which stays its owner's to close. */
export function createMetadataParts(store: MetadataStore, context: ProgramContext): MetadataParts {
  const { clock, random, registry } = context;
  const { directory, presence, journal } = store;
  const directoryChanged = new ChangeSignal();
  const watchers = new WatcherLimit();
  const fleet = new Fleet(clock, () => directoryChanged.notify());
  const reader = new FeedReader(journal);
  const subscriptions = new Subscriptions(reader, watchers);
  store.onChange((change) => passOn(change, subscriptions, directoryChanged));
  registerStateGauges(registry, { store, fleet, subscriptions, watchers });
  const assignments = new Assignments(directory, fleet);
  const namespaces = new Namespaces({ directory, fleet, clock, random });
  const verifier = new ReceiptVerifier(directory, clock);
  return {
    services: [
      accountRoutes({ directory, assignments, directoryChanged, watchers }),
      adminRoutes({ store, namespaces, assignments, fleet }),
      commitRoutes({ store, verifier, metrics: createCommitMetrics(registry), clock }),
      feedRoutes({ reader, subscriptions }),
      fleetRoutes({ directory, fleet, directoryChanged }),
      presenceRoutes({ directory, presence, metrics: createPresenceMetrics(registry) }),
    ],
    keepWatch: (signal) => fleet.keepWatch(signal),
  };
}

function passOn(change: StoreChange, subscriptions: Subscriptions, directoryChanged: ChangeSignal): void {
  switch (change.kind) {
    case 'feed':
      subscriptions.moved(change.namespaceId, change.cursor);
      break;
    case 'directory':
      directoryChanged.notify();
      break;
  }
}
