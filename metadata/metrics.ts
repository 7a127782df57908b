import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Subscriptions } from '../common/feed-service/subscriptions.js';
import type { WatcherLimit } from '../common/feed-service/watcher-limit.js';
import type { PushDecision } from '../common/feed/decide-push.js';
import type { CommitBatch } from './commit/commit-batch.js';
import { mergeOutcomes, mergeOutcomesOf } from './commit/merge-outcomes.js';
import type { Fleet } from './fleet/fleet.js';
import type { Adverts } from './presence/adverts.js';
import type { MetadataStore } from './store/contract.js';

const COMMIT_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** What commits count. */
export interface CommitMetrics {
  /** A commit became durable after `durationMs`. */
  committed(batch: CommitBatch, decision: PushDecision, durationMs: number): void;
}

/** What questions about missing blocks count. */
export interface PresenceMetrics {
  readonly hashesAsked: Counter;
  readonly hashesMissing: Counter;
}

const TOKEN_KINDS = ['agent', 'device', 'access'] as const;

/** What the issue of tokens counts. */
export interface TokenMetrics {
  /** A one-time token for an agent or a device, or an access token, was issued. */
  issued(kind: (typeof TOKEN_KINDS)[number]): void;
}

/** Series of tokens, zero from the start. */
export function createTokenMetrics(registry: Registry): TokenMetrics {
  const issued = new Counter({
    name: 'drystone_metadata_tokens_issued_total',
    help: 'Tokens issued: one-time tokens for agents and devices, and access tokens.',
    labelNames: ['kind'] as const,
    registers: [registry],
  });
  for (const kind of TOKEN_KINDS) issued.inc({ kind }, 0);
  return { issued: (kind) => issued.inc({ kind }) };
}

/** Series of commits, zero from the start. */
export function createCommitMetrics(registry: Registry): CommitMetrics {
  const registers = [registry];
  const seconds = new Histogram({
    name: 'drystone_metadata_commit_seconds',
    help: 'How long commit messages took from their arrival until they were durable.',
    buckets: COMMIT_BUCKETS_SECONDS,
    registers,
  });
  const counter = (name: string, help: string): Counter =>
    new Counter({ name: `drystone_metadata_${name}_total`, help, registers });
  const items = counter('commit_items', 'Items that took a place in a feed.');
  const conflicts = counter('commit_conflicts', 'Items that met a change made at the same time, or were not taken.');
  const refused = counter('commit_missing_blocks', 'Blocks that commits named and no assigned agent held.');
  const receipts = counter('commit_receipts', 'Receipts that were verified and recorded.');
  const outcomes = new Counter({
    name: 'drystone_metadata_merge_outcomes_total',
    help: 'What came of pushed items: taken as sent, merged with a change made at the same time, known already, refused.',
    labelNames: ['outcome'] as const,
    registers,
  });
  for (const outcome of mergeOutcomes) outcomes.inc({ outcome }, 0);
  return {
    committed(batch, decision, durationMs) {
      for (const outcome of mergeOutcomesOf(batch.items, decision)) outcomes.inc({ outcome });
      seconds.observe(durationMs / 1000);
      items.inc(decision.writes.length);
      conflicts.inc(decision.merged.length);
      refused.inc(decision.missing.length / 32);
      receipts.inc(batch.stored.length);
    },
  };
}

/** What forgetting counts. */
export interface CompactionMetrics {
  /** Deletions were forgotten. */
  readonly forgotten: (count: number) => void;
}

/** Series of forgetting, zero from the start. */
export function createCompactionMetrics(registry: Registry): CompactionMetrics {
  const forgotten = new Counter({
    name: 'drystone_metadata_tombstones_forgotten_total',
    help: 'Deletions forgotten, because all known replicas had seen them or they were old.',
    registers: [registry],
  });
  return { forgotten: (count) => forgotten.inc(count) };
}

/** Series of questions about missing blocks, zero from the start. */
export function createPresenceMetrics(registry: Registry): PresenceMetrics {
  const registers = [registry];
  return {
    hashesAsked: new Counter({
      name: 'drystone_metadata_find_missing_hashes_total',
      help: 'Block hashes that clients asked about.',
      registers,
    }),
    hashesMissing: new Counter({
      name: 'drystone_metadata_find_missing_missing_total',
      help: 'Block hashes that the target asked about lacked.',
      registers,
    }),
  };
}

/** What endpoints that give blocks, and those that look for them, count. */
export interface LocatorMetrics {
  readonly advertised: Counter;
  /** A look-up for so many hashes was answered with so many peers. */
  located(hashes: number, peers: number): void;
}

/** Series of adverts and look-ups, zero from the start. */
export function createLocatorMetrics(registry: Registry): LocatorMetrics {
  const counter = (name: string, help: string): Counter =>
    new Counter({ name: `drystone_metadata_${name}_total`, help, registers: [registry] });
  const locates = counter('locates', 'Look-ups of who has blocks.');
  const hashesAsked = counter('locate_hashes', 'Block hashes of these look-ups.');
  const peersTold = counter('locate_peers', 'Peers told in answer to them.');
  return {
    advertised: counter('adverts_said', 'Times that endpoints said that they give blocks, or no longer do.'),
    located(hashes, peers) {
      locates.inc();
      hashesAsked.inc(hashes);
      peersTold.inc(peers);
    },
  };
}

/** What the gauges read when they are scraped. */
export interface Gauged {
  readonly store: MetadataStore;
  readonly fleet: Fleet;
  readonly subscriptions: Subscriptions;
  readonly watchers: WatcherLimit;
  readonly adverts: Adverts;
}

/** Gauges of what there is now; each reads it at the moment of the scrape. */
export function registerStateGauges(registry: Registry, gauged: Gauged): void {
  const { store, fleet, subscriptions, watchers, adverts } = gauged;
  const gauge = (name: string, help: string, read: () => number | Promise<number>): void => {
    const created: Gauge = new Gauge({
      name: `drystone_metadata_${name}`,
      help,
      registers: [registry],
      async collect() {
        created.set(await read());
      },
    });
  };
  gauge('feed_subscribers', 'Feed subscriptions that are open.', () => subscriptions.count);
  gauge('feed_lag_entries', 'Cursors by which the slowest subscriber is behind.', () => subscriptions.maxLag);
  gauge(
    'watchers',
    'Streams that wait for changes: subscriptions and watches of assignments.',
    () => watchers.openCount,
  );
  gauge('adverts', 'Endpoints that give blocks, counted once for each namespace.', () => adverts.count);
  gauge('namespaces', 'Namespaces.', async () => (await store.stats()).namespaces);
  gauge('presence_rows', 'Blocks known to lie at an agent, counted once a namespace.', async () => {
    return (await store.stats()).presenceRows;
  });
  gauge('journal_entries', 'Entries of all journals.', async () => (await store.stats()).journalEntries);
  gauge('tombstones', 'Deletions in all feeds.', async () => (await store.stats()).tombstones);
  gauge('replicas', 'Replicas whose knowledge of a feed is kept, counted once a namespace.', async () => {
    return (await store.stats()).replicas;
  });
  gauge(
    'conflicts_open',
    'Items with rivals that nobody has settled.',
    async () => (await store.stats()).openConflicts,
  );
  gauge('store_file_bytes', 'Bytes that the store takes on disk.', async () => (await store.stats()).fileBytes);
  registerAgentGauge(registry, store, fleet);
}

function registerAgentGauge(registry: Registry, store: MetadataStore, fleet: Fleet): void {
  const agents = new Gauge({
    name: 'drystone_metadata_agents',
    help: 'Registered agents by state.',
    labelNames: ['state'] as const,
    registers: [registry],
    async collect() {
      const { online, draining } = fleet.countByState();
      // An agent that has not been heard since the service began is offline as well.
      const offline = (await store.stats()).agents - online - draining;
      agents.set({ state: 'online' }, online);
      agents.set({ state: 'draining' }, draining);
      agents.set({ state: 'offline' }, offline);
    },
  });
}

/** The running release, as a series that is always 1. */
export function registerBuildInfo(registry: Registry, version: string): void {
  const info = new Gauge({
    name: 'drystone_metadata_build_info',
    help: 'The running release.',
    labelNames: ['version'] as const,
    registers: [registry],
  });
  info.set({ version }, 1);
}
