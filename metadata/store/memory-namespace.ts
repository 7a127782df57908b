import { hashAt, hashCount, hashKey, type HashKey } from '../../common/block-hash.js';
import {
  cursorAhead,
  type FeedQuery,
  type FeedSlice,
  type StoredEntry,
} from '../../common/feed-service/feed-source.js';
import { conflictsOf } from '../../common/feed/conflicts.js';
import { decidePush, type PushDecision } from '../../common/feed/decide-push.js';
import type { ItemPath } from '../../common/feed/item.js';
import { isAtOrBelow } from '../../common/feed/paths.js';
import { EMPTY_FEED, type FeedHead, headOf, type ItemHead } from '../../common/feed/placement.js';
import type { NewItem } from '../../common/feed/push-items.js';
import { CURSOR_START, type AccountName, type AgentId, type Cursor, type ReplicaId } from '../../common/ids.js';
import type { CommitBatch, StoredBlocks } from '../commit/commit-batch.js';
import { readCommitState } from './commit-state.js';
import { NO_PAST, type FeedPast, type MemberRole, type NamespaceRow, type ReplicaRow } from './rows.js';

type Holders = Map<HashKey, Set<AgentId>>;

/** One namespace of the memory engine. */
export class MemoryNamespace {
  feed: FeedHead = EMPTY_FEED;
  /** The entry of cursor n lies at n - 1. */
  readonly journal: NewItem[] = [];
  readonly presence: Holders = new Map();
  readonly members = new Map<AccountName, MemberRole>();
  readonly replicas = new Map<ReplicaId, ReplicaRow>();
  past: FeedPast = NO_PAST;
  readonly #heads = new Map<ItemPath, ItemHead>();

  constructor(public row: NamespaceRow) {}

  /** See `JournalStore.commit`. */
  commit(batch: CommitBatch): PushDecision {
    const arriving: Holders = new Map();
    for (const blocks of batch.stored) addHolders(arriving, blocks);
    const isHeld = (hash: Uint8Array): boolean => {
      const key = hashKey(hash);
      return this.row.agents.some(
        (agent) => this.presence.get(key)?.has(agent) === true || arriving.get(key)?.has(agent) === true,
      );
    };
    const head = (path: ItemPath): ItemHead | undefined => this.#heads.get(path);
    const entry = (cursor: Cursor): NewItem => this.#entry(cursor);
    const decision = decidePush(readCommitState({ feed: this.feed, head, entry, isHeld }, batch), batch);
    for (const blocks of batch.stored) addHolders(this.presence, blocks);
    for (const write of decision.writes) {
      this.journal.push({ item: write.item, encoded: Buffer.from(write.encoded) });
      this.#heads.set(write.item.path, headOf(write));
    }
    this.feed = decision.feed;
    return decision;
  }

  /** The hashes of a packed list that `agent` does not hold. */
  missing(agent: AgentId, hashes: Uint8Array): Uint8Array[] {
    return hashesOf(hashes).filter((hash) => this.presence.get(hashKey(hash))?.has(agent) !== true);
  }

  /** See `JournalStore.readFeed`. */
  readFeed({ after, maxEntries, maxBytes, pathPrefix }: FeedQuery): FeedSlice {
    const end = this.feed.cursor;
    if (after > end) throw cursorAhead(after, end);
    const entries: StoredEntry[] = [];
    const { forgottenThrough } = this.past;
    const past = forgottenThrough === CURSOR_START ? {} : { forgottenThrough };
    let bytes = 0;
    for (let cursor = (after + 1) as Cursor; cursor <= end; cursor++) {
      const { item, encoded } = this.#entry(cursor);
      const isCurrent = this.#heads.get(item.path)?.cursor === cursor;
      if (!isCurrent || !isAtOrBelow(item.path, pathPrefix)) continue;
      bytes += encoded.length;
      if (entries.length === maxEntries || (entries.length > 0 && bytes > maxBytes)) {
        return { entries, nextCursor: entries.at(-1)?.cursor ?? after, caughtUp: false, ...past };
      }
      entries.push({ cursor, item: encoded });
    }
    return { entries, nextCursor: end, caughtUp: true, ...past };
  }

  /** The cursors of the feed's deletions, ascending. */
  get tombstones(): Cursor[] {
    return [...this.#heads.values()].flatMap(({ live, cursor }) => (live ? [] : [cursor])).sort((a, b) => a - b);
  }

  /** How many items of the feed have rivals whose content people would miss. */
  get openConflicts(): number {
    return [...this.#heads.values()].filter(({ cursor }) => conflictsOf(this.#entry(cursor).item).length > 0).length;
  }

  /** The deletion leaves the feed, and its path has never been. The journal keeps it. */
  forget(tombstone: Cursor): void {
    this.#heads.delete(this.#entry(tombstone).item.path);
  }

  #entry(cursor: Cursor): NewItem {
    const entry = this.journal[cursor - 1];
    if (entry === undefined) throw new Error(`the journal has no entry ${cursor}`);
    return entry;
  }
}

function hashesOf(packed: Uint8Array): Uint8Array[] {
  return Array.from({ length: hashCount(packed) }, (_, index) => hashAt(packed, index));
}

function addHolders(holders: Holders, { agent, hashes }: StoredBlocks): void {
  for (const hash of hashesOf(hashes)) {
    const key = hashKey(hash);
    holders.set(key, (holders.get(key) ?? new Set()).add(agent));
  }
}
