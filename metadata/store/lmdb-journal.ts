import { isEncodedAtOrBelow } from '../../common/feed-service/encoded-item.js';
import {
  cursorAhead,
  type FeedQuery,
  type FeedSlice,
  type StoredEntry,
} from '../../common/feed-service/feed-source.js';
import { decidePush, type PushDecision } from '../../common/feed/decide-push.js';
import { conflictsOf } from '../../common/feed/conflicts.js';
import { decodeItem } from '../../common/feed/item-codec.js';
import type { FeedHistory } from '../../common/feed/feed-history.js';
import { type FeedHead, headOf } from '../../common/feed/placement.js';
import type { NewItem } from '../../common/feed/push-items.js';
import { CURSOR_START, idBytes, type Cursor, type NamespaceId } from '../../common/ids.js';
import { feedLimits } from '../../common/limits.js';
import { decodeFeedHead, decodeItemHead, encodeFeedHead, encodeItemHead } from '../../common/store/feed-records.js';
import { cursorKey, cursorOfKey, pathKey } from '../../common/store/keys.js';
import { copyOf, keysOf } from '../../common/store/lmdb-environment.js';
import type { LmdbHistories } from '../../common/store/lmdb-histories.js';
import type { CommitBatch } from '../commit/commit-batch.js';
import { readCommitState } from './commit-state.js';
import type { JournalStore } from './contract.js';
import type { LmdbAudit } from './lmdb-audit.js';
import type { MetadataEnvironment } from './lmdb-environment.js';
import type { LmdbKnowledge } from './lmdb-knowledge.js';
import type { LmdbPresence } from './lmdb-presence.js';
import type { LmdbRows } from './lmdb-rows.js';
import { namespaceUnknown } from './store-errors.js';

const NOTHING = Buffer.alloc(0);

/** What a commit writes beside the journal, and a read of the feed has to know. */
export interface LmdbJournalParts {
  readonly rows: LmdbRows;
  readonly presence: LmdbPresence;
  readonly audit: LmdbAudit;
  readonly knowledge: LmdbKnowledge;
  readonly histories: LmdbHistories;
}

/** Items, feed and journal of the LMDB engine. */
export class LmdbJournal implements JournalStore {
  /** @param onCommitted called after each commit that moved a feed, once it is durable. */
  constructor(
    readonly environment: MetadataEnvironment,
    readonly parts: LmdbJournalParts,
    readonly onCommitted: (namespaceId: NamespaceId, cursor: Cursor) => void,
  ) {}

  async commit(namespaceId: NamespaceId, batch: CommitBatch): Promise<PushDecision> {
    const decision = await this.environment.write(() => this.#commit(namespaceId, batch));
    if (decision.writes.length > 0) this.onCommitted(namespaceId, decision.feed.cursor);
    return decision;
  }

  feedHead(namespaceId: NamespaceId): Promise<FeedHead> {
    return this.environment.read(() => this.#head(namespaceId));
  }

  readFeed(namespaceId: NamespaceId, query: FeedQuery): Promise<FeedSlice> {
    return this.environment.read(() => this.#readFeed(namespaceId, query));
  }

  historyOf(namespaceId: NamespaceId, cursor: Cursor): Promise<FeedHistory | undefined> {
    return this.environment.read(() => {
      // Raises where there is no such namespace.
      this.#head(namespaceId);
      return this.parts.histories.at(idBytes(namespaceId), cursor);
    });
  }

  #commit(namespaceId: NamespaceId, batch: CommitBatch): PushDecision {
    const { rows, presence, audit } = this.parts;
    const row = rows.knownNamespace(namespaceId);
    for (const { agent, hashes } of batch.stored) {
      for (const number of rows.agentNumbers([agent])) presence.record(namespaceId, number, hashes);
    }
    const { paths } = this.environment.trees;
    const namespace = idBytes(namespaceId);
    const state = readCommitState(
      {
        feed: this.#head(namespaceId),
        head: (path) => {
          const record = paths.getBinaryFast(pathKey(namespace, path));
          return record === undefined ? undefined : decodeItemHead(record);
        },
        entry: (cursor) => this.#entry(namespace, cursor),
        isHeld: presence.heldByAny(namespaceId, rows.agentNumbers(row.agents)),
      },
      batch,
    );
    const decision = decidePush(state, batch);
    this.#apply(namespace, decision);
    if (decision.writes.length > 0 && batch.audit !== undefined) audit.write(batch.audit);
    return decision;
  }

  #apply(namespace: Buffer, { writes, feed: head }: PushDecision): void {
    const [first] = writes;
    if (first === undefined) return;
    this.parts.histories.added(namespace, first.cursor);
    const { journal, feed, paths, heads, tombstones, conflicts } = this.environment.trees;
    for (const write of writes) {
      const key = cursorKey(namespace, write.cursor);
      const { content } = write.item;
      void journal.put(key, write.encoded as Buffer);
      void feed.put(key, NOTHING);
      void paths.put(pathKey(namespace, write.item.path), encodeItemHead(headOf(write)));
      if (content.kind === 'deletion') void tombstones.put(key, NOTHING);
      else if (conflictsOf(write.item).length > 0) void conflicts.put(key, NOTHING);
      if (write.supersedes === undefined) continue;
      for (const tree of [feed, tombstones, conflicts]) void tree.remove(cursorKey(namespace, write.supersedes));
    }
    void heads.put(namespace, encodeFeedHead(head));
  }

  #head(namespaceId: NamespaceId): FeedHead {
    const record = this.environment.trees.heads.getBinaryFast(idBytes(namespaceId));
    if (record === undefined) throw namespaceUnknown(namespaceId);
    return decodeFeedHead(record);
  }

  #entry(namespace: Buffer, cursor: Cursor): NewItem {
    const encoded = this.#encodedEntry(cursorKey(namespace, cursor));
    return { item: decodeItem(encoded), encoded };
  }

  #encodedEntry(key: Uint8Array): Buffer {
    const shared = this.environment.trees.journal.getBinaryFast(key);
    if (shared === undefined) throw new Error('the journal lacks an entry of the feed');
    return copyOf(shared);
  }

  #readFeed(namespaceId: NamespaceId, query: FeedQuery): FeedSlice {
    const { cursor: end } = this.#head(namespaceId);
    if (query.after > end) throw cursorAhead(query.after, end);
    const namespace = idBytes(namespaceId);
    const prefix = Buffer.from(query.pathPrefix);
    const scanned = prefix.length === 0 ? query.maxEntries : feedLimits.entriesScannedPerPage;
    const range = { start: cursorKey(namespace, query.after + 1), end: cursorKey(namespace, end + 1), limit: scanned };
    const entries: StoredEntry[] = [];
    let bytes = 0;
    let nextCursor = query.after;
    const { forgottenThrough } = this.parts.knowledge.pastOf(namespaceId);
    const past = forgottenThrough === CURSOR_START ? {} : { forgottenThrough };
    const keys = keysOf(this.environment.trees.feed, range);
    for (const key of keys) {
      const cursor = cursorOfKey(key);
      const item = this.#encodedEntry(key);
      if (isEncodedAtOrBelow(item, prefix)) {
        bytes += item.length;
        const isFull = entries.length === query.maxEntries || (entries.length > 0 && bytes > query.maxBytes);
        if (isFull) return { entries, nextCursor, caughtUp: false, ...past };
        entries.push({ cursor, item });
      }
      nextCursor = cursor;
    }
    // What was at the end may have been forgotten.
    if (keys.length < scanned) nextCursor = end;
    return { entries, nextCursor, caughtUp: nextCursor === end, ...past };
  }
}
