import { InFlightGate } from '../../common/concurrency/in-flight-gate.js';
import { newFeedHistory, type FeedHistory } from '../../common/feed/feed-history.js';
import type { AccountName, AgentId, DeviceId, NamespaceId, NamespaceName } from '../../common/ids.js';
import type { Random } from '../../common/random.js';
import { ChangeListeners } from './change-listeners.js';
import type { MemoryNamespace } from './memory-namespace.js';
import type { ChangeNotice, Outcome } from './outcome.js';
import type {
  AccountRow,
  AgentRow,
  AuditRow,
  DeviceRow,
  EnrollmentTokenRow,
  NamespaceRow,
  NewAuditEntry,
  Page,
  TokenKeyRow,
} from './rows.js';
import { accountUnknown, agentUnknown, namespaceUnknown } from './store-errors.js';

/** All that the memory engine keeps, and transactions over it: work that does not wait, and refuses before it changes. */
export class MemoryState {
  readonly accounts = new Map<AccountName, AccountRow>();
  readonly devices = new Map<DeviceId, DeviceRow>();
  readonly agents = new Map<AgentId, AgentRow>();
  readonly namespaces = new Map<NamespaceId, MemoryNamespace>();
  readonly tokens = new Map<string, EnrollmentTokenRow>();
  readonly tokenKeys = new Map<string, TokenKeyRow>();
  /** The entry of sequence n lies at n - 1. */
  readonly audit: AuditRow[] = [];
  readonly listeners = new ChangeListeners();
  /** Of all entries of all feeds. */
  readonly history: FeedHistory;
  readonly #gate = new InFlightGate('the metadata store');

  constructor(random: Random) {
    this.history = newFeedHistory(random);
  }

  /** Runs `work`, which must not wait. */
  run<T>(work: () => T): Promise<T> {
    return this.#gate.run(async () => work());
  }

  /** Runs `work`, which must not wait; where it changes something, says so. */
  async change<Answer>({ tell, audit }: ChangeNotice, work: () => Outcome<Answer>): Promise<Answer> {
    const { answer, hasChanged } = await this.run(() => {
      const outcome = work();
      if (outcome.hasChanged && audit !== undefined) this.writeAudit(audit);
      return outcome;
    });
    if (hasChanged && tell !== undefined) this.listeners.tell({ kind: tell });
    return answer;
  }

  /** Appends an entry to the audit log. */
  writeAudit(entry: NewAuditEntry): void {
    this.audit.push({ ...entry, sequence: this.audit.length + 1 });
  }

  /** Waits for what has begun, then lets nothing in any more. Idempotent. */
  close(): Promise<void> {
    return this.#gate.close(() => Promise.resolve());
  }

  namespaceRows(): NamespaceRow[] {
    return [...this.namespaces.values()].map(({ row }) => row);
  }

  namespaceNamed(name: NamespaceName): NamespaceRow | undefined {
    return this.namespaceRows().find((row) => row.name === name);
  }

  /** NOT_FOUND (NAMESPACE_UNKNOWN). */
  knownNamespace(id: NamespaceId): MemoryNamespace {
    const namespace = this.namespaces.get(id);
    if (namespace === undefined) throw namespaceUnknown(id);
    return namespace;
  }

  /** NOT_FOUND (ACCOUNT_UNKNOWN). */
  knownAccount(name: AccountName): AccountRow {
    const account = this.accounts.get(name);
    if (account === undefined) throw accountUnknown(name);
    return account;
  }

  /** NOT_FOUND (AGENT_UNKNOWN). */
  knownAgent(id: AgentId): AgentRow {
    const agent = this.agents.get(id);
    if (agent === undefined) throw agentUnknown(id);
    return agent;
  }
}

/** At most `limit` of the rows whose key comes after `after`, by key. */
export function pageOf<Row, Key extends string>(
  rows: Iterable<Row>,
  keyOf: (row: Row) => Key,
  after: Key | undefined,
  limit: number,
): Page<Row> {
  const rest = [...rows]
    .filter((row) => after === undefined || keyOf(row) > after)
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  return { rows: rest.slice(0, limit), hasMore: rest.length > limit };
}
