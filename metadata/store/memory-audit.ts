import { readAuditSlice } from './audit-slice.js';
import type { AuditQuery, AuditSlice, AuditStore } from './contract.js';
import type { MemoryState } from './memory-state.js';
import { changed } from './outcome.js';
import type { AuditRow, NewAuditEntry } from './rows.js';

/** The audit log of the memory engine. */
export class MemoryAudit implements AuditStore {
  constructor(readonly state: MemoryState) {}

  append(entry: NewAuditEntry): Promise<void> {
    return this.state.change({ audit: entry }, () => changed());
  }

  list(query: AuditQuery): Promise<AuditSlice> {
    const { audit } = this.state;
    const entry = (sequence: number): AuditRow => {
      const row = audit[sequence - 1];
      if (row === undefined) throw new Error(`the audit log has no entry ${sequence}`);
      return row;
    };
    return this.state.run(() => readAuditSlice({ end: audit.length, entry, mayMention: () => true }, query));
  }
}
