import { Histogram, type Registry } from 'prom-client';
import type { Clock } from '../../common/clock.js';
import type { MetadataStore } from './contract.js';

const BUCKETS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const OPERATIONS = ['commit', 'directory_write', 'find_missing', 'read_feed'] as const;

type Operation = (typeof OPERATIONS)[number];

/** `store` as it is, with a histogram of how long its transactions take. */
export function meterStore(store: MetadataStore, registry: Registry, clock: Clock): MetadataStore {
  const seconds = new Histogram({
    name: 'drystone_metadata_store_transaction_seconds',
    help: 'How long transactions of the store took, writes until they were durable.',
    labelNames: ['operation'] as const,
    buckets: BUCKETS_SECONDS,
    registers: [registry],
  });
  for (const operation of OPERATIONS) seconds.zero({ operation });
  const timed = async <T>(operation: Operation, work: () => Promise<T>): Promise<T> => {
    const startedMs = clock.monotonicMs();
    try {
      return await work();
    } finally {
      seconds.observe({ operation }, (clock.monotonicMs() - startedMs) / 1000);
    }
  };
  const { directory, presence, journal } = store;
  return {
    directory: {
      putDevice: (device) => timed('directory_write', () => directory.putDevice(device)),
      hasAccount: (account) => directory.hasAccount(account),
      putAgent: (agent) => timed('directory_write', () => directory.putAgent(agent)),
      getAgents: (ids) => directory.getAgents(ids),
      listAgents: (after, limit) => directory.listAgents(after, limit),
      createNamespace: (namespace) => timed('directory_write', () => directory.createNamespace(namespace)),
      setAssignment: (id, agents) => timed('directory_write', () => directory.setAssignment(id, agents)),
      getNamespace: (id) => directory.getNamespace(id),
      findNamespace: (name) => directory.findNamespace(name),
      listNamespaces: (after, limit) => directory.listNamespaces(after, limit),
      listHoldings: (agent) => directory.listHoldings(agent),
      countHoldings: (agents) => directory.countHoldings(agents),
    },
    presence: {
      findMissing: (id, agent, hashes) => timed('find_missing', () => presence.findMissing(id, agent, hashes)),
      countMissing: (id, agents, hashes) => timed('find_missing', () => presence.countMissing(id, agents, hashes)),
    },
    journal: {
      commit: (id, batch) => timed('commit', () => journal.commit(id, batch)),
      feedHead: (id) => journal.feedHead(id),
      readFeed: (id, query) => timed('read_feed', () => journal.readFeed(id, query)),
    },
    stats: () => store.stats(),
    onChange: (listener) => store.onChange(listener),
    close: () => store.close(),
  };
}
