import { newFeedHistory, type FeedHistory } from '../../common/feed/feed-history.js';
import { systemRandom, type Random } from '../../common/random.js';
import { entryCount } from '../../common/store/lmdb-environment.js';
import { LmdbHistories } from '../../common/store/lmdb-histories.js';
import { ChangeListeners } from './change-listeners.js';
import type { MetadataStore, StoreChange, StoreStats } from './contract.js';
import { LmdbAccounts } from './lmdb-accounts.js';
import { LmdbAudit } from './lmdb-audit.js';
import { LmdbDirectory } from './lmdb-directory.js';
import { LmdbEnrollment } from './lmdb-enrollment.js';
import { type MetadataEnvironment, openMetadataEnvironment } from './lmdb-environment.js';
import { LmdbKnowledge } from './lmdb-knowledge.js';
import { LmdbJournal } from './lmdb-journal.js';
import { LmdbPresence } from './lmdb-presence.js';
import { LmdbRows } from './lmdb-rows.js';
import { LmdbTokens } from './lmdb-tokens.js';

/** Opens the store in the directory `path`, with everything in it that had been acknowledged. One process at a time. */
export async function openLmdbStore(path: string, random: Random = systemRandom): Promise<MetadataStore> {
  return new LmdbStore(await openMetadataEnvironment(path), newFeedHistory(random));
}

/** The default engine: embedded, durable, one writer at a time. */
class LmdbStore implements MetadataStore {
  readonly accounts: LmdbAccounts;
  readonly enrollment: LmdbEnrollment;
  readonly audit: LmdbAudit;
  readonly directory: LmdbDirectory;
  readonly presence: LmdbPresence;
  readonly journal: LmdbJournal;
  readonly knowledge: LmdbKnowledge;
  readonly #rows: LmdbRows;
  readonly #listeners = new ChangeListeners();

  constructor(
    readonly environment: MetadataEnvironment,
    history: FeedHistory,
  ) {
    this.#rows = new LmdbRows(environment.trees);
    this.audit = new LmdbAudit(environment, this.#rows, this.#listeners);
    const tokens = new LmdbTokens(environment.trees, this.#rows);
    this.accounts = new LmdbAccounts(environment, this.#rows, tokens, this.audit);
    this.enrollment = new LmdbEnrollment(environment, this.#rows, tokens, this.audit);
    this.directory = new LmdbDirectory(environment, this.#rows, this.audit);
    this.presence = new LmdbPresence(environment, this.#rows);
    this.knowledge = new LmdbKnowledge(environment);
    const { presence, audit, knowledge } = this;
    const histories = new LmdbHistories(environment.trees.histories, history);
    const parts = { rows: this.#rows, presence, audit, knowledge, histories };
    this.journal = new LmdbJournal(environment, parts, (namespaceId, cursor) =>
      this.#listeners.tell({ kind: 'feed', namespaceId, cursor }),
    );
  }

  async stats(): Promise<StoreStats> {
    const { trees } = this.environment;
    const counts = await this.environment.read(() => ({
      namespaces: entryCount(trees.namespaces),
      agents: entryCount(trees.agents) - this.#rows.counter('revokedAgents'),
      presenceRows: entryCount(trees.presence),
      journalEntries: entryCount(trees.journal),
      tombstones: entryCount(trees.tombstones),
      openConflicts: entryCount(trees.conflicts),
      replicas: entryCount(trees.replicas),
    }));
    return { ...counts, fileBytes: await this.environment.fileBytes() };
  }

  onChange(listener: (change: StoreChange) => void): () => void {
    return this.#listeners.add(listener);
  }

  close(): Promise<void> {
    return this.environment.close();
  }
}
