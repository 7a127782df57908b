import { ChangeSignal } from '../common/concurrency/change-signal.js';
import { FeedReader } from '../common/feed-service/feed-reader.js';
import { Subscriptions } from '../common/feed-service/subscriptions.js';
import { WatcherLimit } from '../common/feed-service/watcher-limit.js';
import { metadataLimits } from '../common/limits.js';
import type { ServerContext } from '../common/program/context.js';
import type { ServedService } from '../common/rpc/server.js';
import { ReceiptVerifier } from './commit/receipt-verifier.js';
import { Assignments } from './directory/assignments.js';
import { Namespaces } from './directory/namespaces.js';
import { Compactor } from './feed/compactor.js';
import { Readers } from './feed/readers.js';
import { Fleet } from './fleet/fleet.js';
import {
  createCommitMetrics,
  createCompactionMetrics,
  createLocatorMetrics,
  createPresenceMetrics,
  createTokenMetrics,
  registerStateGauges,
} from './metrics.js';
import { Adverts } from './presence/adverts.js';
import { accessRoutes } from './routes/access-routes.js';
import { accountRoutes } from './routes/account-routes.js';
import { adminRoutes } from './routes/admin-routes.js';
import { enrollmentRoutes } from './routes/enrollment-routes.js';
import { feedRoutes } from './routes/feed-routes.js';
import { fleetRoutes } from './routes/fleet-routes.js';
import { locatorRoutes } from './routes/locator-routes.js';
import { presenceRoutes } from './routes/presence-routes.js';
import type { MetadataStore, StoreChange } from './store/contract.js';
import { AccessTokens, type TokenSigner } from './trust/access-tokens.js';
import { Access } from './trust/access.js';
import { EnrollmentTokens } from './trust/enrollment-tokens.js';
import { Enrollment } from './trust/enrollment.js';
import type { FleetCa } from './trust/fleet-ca.js';
import { TokenKeys } from './trust/token-keys.js';

/** What the service is made over; it stays its owner's to close. */
export interface MetadataGround {
  readonly store: MetadataStore;
  readonly ca: Pick<FleetCa, 'issue'>;
  /** SHA-256 of the certificate by which those who join know the service, 32 bytes. */
  readonly pinned: Buffer;
  /** How access tokens are signed. */
  readonly signToken: TokenSigner;
}

/** The metadata service without what surrounds it: its RPC services over a store. */
export interface MetadataParts {
  readonly services: readonly ServedService[];
  readonly access: Access;
  readonly tokens: EnrollmentTokens;
  /** What has to be done as time passes, until `signal` aborts. */
  readonly keepWatch: (signal: AbortSignal) => Promise<void>;
}

/** Joins the parts of the service. */
export async function createMetadataParts(ground: MetadataGround, context: ServerContext): Promise<MetadataParts> {
  const { store, ca, pinned, signToken } = ground;
  const { clock, random, registry, logger } = context;
  const { directory, presence, journal, enrollment } = store;
  const directoryChanged = new ChangeSignal();
  const notify = (): void => directoryChanged.notify();
  const access = new Access(store);
  const watchers = new WatcherLimit(metadataLimits.subscribers);
  const fleet = new Fleet(clock, notify);
  const reader = new FeedReader(journal, metadataLimits.pageCacheBytes);
  const subscriptions = new Subscriptions(reader, watchers);
  store.onChange((change) => passOn(change, subscriptions, directoryChanged));
  const adverts = new Adverts(clock);
  registerStateGauges(registry, { store, fleet, subscriptions, watchers, adverts });
  const metrics = createTokenMetrics(registry);
  const tokens = new EnrollmentTokens({ enrollment, pinned, clock, random, metrics });
  const tokenKeys = await TokenKeys.open({ store, clock, random, onChange: notify });
  const accessTokens = new AccessTokens({ access, keys: tokenKeys, sign: signToken, clock, metrics });
  const assignments = new Assignments(store, fleet);
  const namespaces = new Namespaces({ store, fleet, clock, random });
  const verifier = new ReceiptVerifier(directory, clock);
  const commits = { access, store, verifier, metrics: createCommitMetrics(registry), clock };
  const compactor = new Compactor({ store, clock, onForgotten: createCompactionMetrics(registry).forgotten });
  return {
    services: [
      accessRoutes({ access, store, tokens, namespaces, fleet, clock }),
      accountRoutes({ access, accessTokens, assignments, directoryChanged, watchers }),
      adminRoutes({ access, store, namespaces, assignments, fleet }),
      enrollmentRoutes(new Enrollment({ store, tokens, ca, clock })),
      feedRoutes({ access, reader, readers: new Readers(store, clock), subscriptions, commits }),
      fleetRoutes({ access, directory, fleet, tokenKeys, directoryChanged }),
      locatorRoutes({ access, presence, adverts, metrics: createLocatorMetrics(registry) }),
      presenceRoutes({ access, presence, metrics: createPresenceMetrics(registry) }),
    ],
    access,
    tokens,
    async keepWatch(signal) {
      const rotation = tokenKeys.keepWatch(signal, (err) => logger.error({ err }, 'rotating the token keys failed'));
      const forgetting = compactor.keepWatch(signal, (err) => logger.error({ err }, 'forgetting deletions failed'));
      await Promise.all([fleet.keepWatch(signal), rotation, forgetting]);
    },
  };
}

function passOn(change: StoreChange, subscriptions: Subscriptions, directoryChanged: ChangeSignal): void {
  switch (change.kind) {
    case 'feed':
      subscriptions.moved(change.namespaceId, change.cursor);
      break;
    case 'directory':
      directoryChanged.notify();
      subscriptions.accessChanged();
      break;
    case 'token keys':
      // Whoever needs them is told once they have been read.
      break;
  }
}
