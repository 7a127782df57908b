import { uint64Of } from '../../common/store/keys.js';
import { readAuditSlice, type AuditLogView } from './audit-slice.js';
import type { ChangeListeners } from './change-listeners.js';
import type { AuditQuery, AuditSlice, AuditStore } from './contract.js';
import type { MetadataEnvironment } from './lmdb-environment.js';
import { decodeAuditEntry, encodeAuditEntry, mentions } from './lmdb-json-records.js';
import type { LmdbRows } from './lmdb-rows.js';
import { changed, type ChangeNotice, type Outcome } from './outcome.js';
import type { NewAuditEntry } from './rows.js';

/** The audit log of the LMDB engine, and the transactions that write to it. */
export class LmdbAudit implements AuditStore {
  constructor(
    readonly environment: MetadataEnvironment,
    readonly rows: LmdbRows,
    readonly listeners: ChangeListeners,
  ) {}

  /** Runs `work` as one transaction; where it changes something, says so. */
  async change<Answer>({ tell, audit }: ChangeNotice, work: () => Outcome<Answer>): Promise<Answer> {
    const { answer, hasChanged } = await this.environment.write(() => {
      const outcome = work();
      if (outcome.hasChanged && audit !== undefined) this.write(audit);
      return outcome;
    });
    if (hasChanged && tell !== undefined) this.listeners.tell({ kind: tell });
    return answer;
  }

  append(entry: NewAuditEntry): Promise<void> {
    return this.change({ audit: entry }, () => changed());
  }

  list(query: AuditQuery): Promise<AuditSlice> {
    return this.environment.read(() => {
      const view: AuditLogView = {
        end: this.rows.counter('audit'),
        entry: (sequence) => decodeAuditEntry(sequence, this.#value(sequence)),
        mayMention: (sequence, names) => mentions(this.#value(sequence), names),
      };
      return readAuditSlice(view, query);
    });
  }

  /** Appends an entry, inside a transaction. */
  write(entry: NewAuditEntry): void {
    const sequence = this.rows.counter('audit') + 1;
    void this.environment.trees.audit.put(uint64Of(sequence), encodeAuditEntry(entry));
    this.rows.putCounter('audit', sequence);
  }

  /** Overwritten by the next read. */
  #value(sequence: number): Buffer {
    const value = this.environment.trees.audit.getBinaryFast(uint64Of(sequence));
    if (value === undefined) throw new Error(`the audit log lacks its entry ${sequence}`);
    return value;
  }
}
