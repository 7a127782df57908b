import { Counter, Gauge, type Registry } from 'prom-client';
import type { PushDecision } from '../../common/feed/decide-push.js';
import type { FeedStore, FeedStoreStats } from './feed-store.js';

const OUTCOMES = ['taken', 'known', 'missing_blocks'] as const;

/** What the feeds of an agent count. */
export interface FeedMetrics {
  /** A device's message was answered. */
  pushed(decision: PushDecision): void;
  /** Metadata has taken a message that was passed on. */
  relayed(): void;
  /** Metadata has refused one for good; it is lost. */
  refused(): void;
}

/** Series of the feeds, zero from the start. */
export function createFeedMetrics(registry: Registry): FeedMetrics {
  const registers = [registry];
  const pushes = new Counter({
    name: 'drystone_agent_feed_pushes_total',
    help: 'Messages that devices pushed here: taken, known before, or of blocks that this agent lacks.',
    labelNames: ['outcome'] as const,
    registers,
  });
  for (const outcome of OUTCOMES) pushes.inc({ outcome }, 0);
  const relayed = new Counter({
    name: 'drystone_agent_feed_relayed_total',
    help: 'Messages of devices that metadata took when they were passed on.',
    registers,
  });
  const refused = new Counter({
    name: 'drystone_agent_feed_refused_total',
    help: 'Messages of devices that metadata refused for good when they were passed on.',
    registers,
  });
  return {
    pushed: (decision) => pushes.inc({ outcome: outcomeOf(decision) }),
    relayed: () => relayed.inc(),
    refused: () => refused.inc(),
  };
}

/** Registers what a scrape is told of the store. */
export function registerFeedGauges(registry: Registry, store: Pick<FeedStore, 'stats'>): void {
  const gauge = (name: string, help: string, value: (stats: FeedStoreStats) => number): void => {
    new Gauge({
      name: `drystone_agent_feed_${name}`,
      help,
      registers: [registry],
      async collect() {
        this.set(value(await store.stats()));
      },
    });
  };
  gauge('namespaces', 'Namespaces of which this agent keeps a feed.', ({ namespaces }) => namespaces);
  gauge('items', 'Items in all feeds that are not deletions.', ({ items }) => items);
  gauge(
    'provisional_messages',
    'Messages of devices that wait to be passed on to metadata.',
    ({ provisionalMessages }) => provisionalMessages,
  );
}

function outcomeOf({ missing, writes }: PushDecision): (typeof OUTCOMES)[number] {
  if (missing.length > 0) return 'missing_blocks';
  return writes.length > 0 ? 'taken' : 'known';
}
