import type { PushBatch } from '../../common/feed/decide-push.js';
import type { AgentId } from '../../common/ids.js';

/** Items to commit, and word of blocks stored: one transaction. */
export interface CommitBatch extends PushBatch {
  /** From receipts that have been verified. */
  readonly stored: readonly StoredBlocks[];
}

/** Blocks that an agent holds for the namespace. */
export interface StoredBlocks {
  readonly agent: AgentId;
  /** Packed hashes. */
  readonly hashes: Uint8Array;
}
