import { hashCount } from '../../common/block-hash.js';
import type { FeedQuery, FeedSlice } from '../../common/feed-service/feed-source.js';
import type { PushDecision } from '../../common/feed/decide-push.js';
import type { FeedHistory } from '../../common/feed/feed-history.js';
import type { FeedHead } from '../../common/feed/placement.js';
import { CURSOR_START, type AgentId, type Cursor, type NamespaceId } from '../../common/ids.js';
import { systemRandom, type Random } from '../../common/random.js';
import type { CommitBatch } from '../commit/commit-batch.js';
import type { JournalStore, MetadataStore, PresenceStore, StoreChange, StoreStats } from './contract.js';
import { MemoryAccounts } from './memory-accounts.js';
import { MemoryAudit } from './memory-audit.js';
import { MemoryDirectory } from './memory-directory.js';
import { MemoryEnrollment } from './memory-enrollment.js';
import { MemoryKnowledge } from './memory-knowledge.js';
import { MemoryState } from './memory-state.js';

/** A store that forgets everything when the process ends: for tests, and to see what the contract asks of an engine. */
export function createMemoryStore(random: Random = systemRandom): MetadataStore {
  return new MemoryStore(new MemoryState(random));
}

class MemoryStore implements MetadataStore, PresenceStore, JournalStore {
  readonly accounts: MemoryAccounts;
  readonly enrollment: MemoryEnrollment;
  readonly audit: MemoryAudit;
  readonly directory: MemoryDirectory;
  readonly knowledge: MemoryKnowledge;
  readonly presence: PresenceStore = this;
  readonly journal: JournalStore = this;
  readonly #state: MemoryState;

  constructor(state: MemoryState) {
    this.#state = state;
    this.accounts = new MemoryAccounts(state);
    this.enrollment = new MemoryEnrollment(state);
    this.audit = new MemoryAudit(state);
    this.directory = new MemoryDirectory(state);
    this.knowledge = new MemoryKnowledge(state);
  }

  findMissing(namespaceId: NamespaceId, agent: AgentId, hashes: Uint8Array): Promise<Uint8Array> {
    return this.#state.run(() => {
      const namespace = this.#state.namespaces.get(namespaceId);
      return namespace === undefined ? hashes : Buffer.concat(namespace.missing(agent, hashes));
    });
  }

  countMissing(namespaceId: NamespaceId, agents: readonly AgentId[], hashes: Uint8Array): Promise<readonly number[]> {
    return this.#state.run(() => {
      const namespace = this.#state.namespaces.get(namespaceId);
      return agents.map((agent) => namespace?.missing(agent, hashes).length ?? hashCount(hashes));
    });
  }

  async commit(namespaceId: NamespaceId, batch: CommitBatch): Promise<PushDecision> {
    const decision = await this.#state.run(() => {
      for (const { agent } of batch.stored) this.#state.knownAgent(agent);
      const made = this.#state.knownNamespace(namespaceId).commit(batch);
      if (made.writes.length > 0 && batch.audit !== undefined) this.#state.writeAudit(batch.audit);
      return made;
    });
    if (decision.writes.length > 0) {
      this.#state.listeners.tell({ kind: 'feed', namespaceId, cursor: decision.feed.cursor });
    }
    return decision;
  }

  feedHead(namespaceId: NamespaceId): Promise<FeedHead> {
    return this.#state.run(() => this.#state.knownNamespace(namespaceId).feed);
  }

  readFeed(namespaceId: NamespaceId, query: FeedQuery): Promise<FeedSlice> {
    return this.#state.run(() => this.#state.knownNamespace(namespaceId).readFeed(query));
  }

  historyOf(namespaceId: NamespaceId, cursor: Cursor): Promise<FeedHistory | undefined> {
    return this.#state.run(() => {
      this.#state.knownNamespace(namespaceId);
      return cursor === CURSOR_START ? undefined : this.#state.history;
    });
  }

  stats(): Promise<StoreStats> {
    return this.#state.run(() => {
      const all = [...this.#state.namespaces.values()];
      return {
        namespaces: all.length,
        agents: [...this.#state.agents.values()].filter(({ revokedAtMs }) => revokedAtMs === undefined).length,
        presenceRows: all.reduce((sum, { presence }) => sum + presence.size, 0),
        journalEntries: all.reduce((sum, { journal }) => sum + journal.length, 0),
        tombstones: all.reduce((sum, { tombstones }) => sum + tombstones.length, 0),
        openConflicts: all.reduce((sum, { openConflicts }) => sum + openConflicts, 0),
        replicas: all.reduce((sum, { replicas }) => sum + replicas.size, 0),
        fileBytes: 0,
      };
    });
  }

  onChange(listener: (change: StoreChange) => void): () => void {
    return this.#state.listeners.add(listener);
  }

  close(): Promise<void> {
    return this.#state.close();
  }
}
