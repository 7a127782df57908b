import type { PushBatch } from '../../common/feed/decide-push.js';
import type { AgentId } from '../../common/ids.js';
import type { NewAuditEntry } from '../store/rows.js';

/** Items to commit, and word of blocks stored: one transaction. */
export interface CommitBatch extends PushBatch {
  /** From receipts that have been verified. */
  readonly stored: readonly StoredBlocks[];
  /** Written where the items say something new, in the same transaction. */
  readonly audit?: NewAuditEntry;
}

/** Blocks that an agent holds for the namespace. */
export interface StoredBlocks {
  readonly agent: AgentId;
  /** Packed hashes. */
  readonly hashes: Uint8Array;
}
