import { Histogram, type Registry } from 'prom-client';
import type { Clock } from '../../common/clock.js';
import type {
  AccountStore,
  AuditStore,
  DirectoryStore,
  EnrollmentStore,
  JournalStore,
  KnowledgeStore,
  MetadataStore,
  PresenceStore,
} from './contract.js';

const BUCKETS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const OPERATIONS = ['commit', 'directory_write', 'find_missing', 'read_feed'] as const;

type Operation = (typeof OPERATIONS)[number];
/** Runs what is handed to it, and observes how long that took. */
type Timer = <T>(work: () => Promise<T>) => Promise<T>;

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
  const timerOf =
    (operation: Operation): Timer =>
    async (work) => {
      const startedMs = clock.monotonicMs();
      try {
        return await work();
      } finally {
        seconds.observe({ operation }, (clock.monotonicMs() - startedMs) / 1000);
      }
    };
  const write = timerOf('directory_write');
  return {
    accounts: meterAccounts(store.accounts, write),
    enrollment: meterEnrollment(store.enrollment, write),
    audit: meterAudit(store.audit, write),
    directory: meterDirectory(store.directory, write),
    presence: meterPresence(store.presence, timerOf('find_missing')),
    knowledge: meterKnowledge(store.knowledge, write),
    journal: meterJournal(store.journal, timerOf('commit'), timerOf('read_feed')),
    stats: () => store.stats(),
    onChange: (listener) => store.onChange(listener),
    close: () => store.close(),
  };
}

function meterAccounts(accounts: AccountStore, write: Timer): AccountStore {
  return {
    createAccount: (account, entry) => write(() => accounts.createAccount(account, entry)),
    setAccountRole: (name, role, entry) => write(() => accounts.setAccountRole(name, role, entry)),
    getAccount: (name) => accounts.getAccount(name),
    listAccounts: (after, limit) => accounts.listAccounts(after, limit),
    getDevice: (id) => accounts.getDevice(id),
    listDevices: (account, after, limit) => accounts.listDevices(account, after, limit),
    revokeDevice: (id, atMs, entry) => write(() => accounts.revokeDevice(id, atMs, entry)),
    putMember: (id, member, entry) => write(() => accounts.putMember(id, member, entry)),
    removeMember: (id, account, entry) => write(() => accounts.removeMember(id, account, entry)),
    roleOf: (id, account) => accounts.roleOf(id, account),
    listMembers: (id, after, limit) => accounts.listMembers(id, after, limit),
    listMemberships: (account, after, limit) => accounts.listMemberships(account, after, limit),
  };
}

function meterEnrollment(enrollment: EnrollmentStore, write: Timer): EnrollmentStore {
  return {
    createToken: (token, entry) => write(() => enrollment.createToken(token, entry)),
    getToken: (id) => enrollment.getToken(id),
    redeemToken: (id, atMs, holder, entry) => write(() => enrollment.redeemToken(id, atMs, holder, entry)),
    putTokenKey: (key, entry) => write(() => enrollment.putTokenKey(key, entry)),
    removeTokenKey: (id) => write(() => enrollment.removeTokenKey(id)),
    listTokenKeys: () => enrollment.listTokenKeys(),
  };
}

function meterAudit(audit: AuditStore, write: Timer): AuditStore {
  return {
    append: (entry) => write(() => audit.append(entry)),
    list: (query) => audit.list(query),
  };
}

function meterDirectory(directory: DirectoryStore, write: Timer): DirectoryStore {
  return {
    registerAgent: (id, seen) => write(() => directory.registerAgent(id, seen)),
    revokeAgent: (id, atMs, entry) => write(() => directory.revokeAgent(id, atMs, entry)),
    getAgents: (ids) => directory.getAgents(ids),
    listAgents: (after, limit) => directory.listAgents(after, limit),
    createNamespace: (namespace, owner, entry) => write(() => directory.createNamespace(namespace, owner, entry)),
    setAssignment: (id, agents, entry) => write(() => directory.setAssignment(id, agents, entry)),
    getNamespace: (id) => directory.getNamespace(id),
    findNamespace: (name) => directory.findNamespace(name),
    listNamespaces: (after, limit) => directory.listNamespaces(after, limit),
    listHoldings: (agent) => directory.listHoldings(agent),
    countHoldings: (agents) => directory.countHoldings(agents),
  };
}

function meterPresence(presence: PresenceStore, find: Timer): PresenceStore {
  return {
    findMissing: (id, agent, hashes) => find(() => presence.findMissing(id, agent, hashes)),
    countMissing: (id, agents, hashes) => find(() => presence.countMissing(id, agents, hashes)),
  };
}

function meterKnowledge(knowledge: KnowledgeStore, write: Timer): KnowledgeStore {
  return {
    note: (id, replica, seen, atMs) => write(() => knowledge.note(id, replica, seen, atMs)),
    list: (id) => knowledge.list(id),
    compact: (id, atMs) => write(() => knowledge.compact(id, atMs)),
  };
}

function meterJournal(journal: JournalStore, commit: Timer, read: Timer): JournalStore {
  return {
    commit: (id, batch) => commit(() => journal.commit(id, batch)),
    feedHead: (id) => journal.feedHead(id),
    readFeed: (id, query) => read(() => journal.readFeed(id, query)),
    historyOf: (id, cursor) => journal.historyOf(id, cursor),
  };
}
