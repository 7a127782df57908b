import { cursorAhead } from '../../common/feed-service/feed-source.js';
import { decodeItem } from '../../common/feed/item-codec.js';
import { idBytes, type Cursor, type NamespaceId, type ReplicaId } from '../../common/ids.js';
import { metadataLimits } from '../../common/limits.js';
import { decodeFeedHead } from '../../common/store/feed-records.js';
import { cursorKey, cursorOfKey, keysWithPrefix, pathKey } from '../../common/store/keys.js';
import { copyOf, keysOf } from '../../common/store/lmdb-environment.js';
import { forgettableThrough, isGone, marksAt } from '../feed/compaction.js';
import type { Compaction, KnowledgeStore } from './contract.js';
import type { MetadataEnvironment } from './lmdb-environment.js';
import { decodeFeedPast, encodeFeedPast } from './lmdb-json-records.js';
import { idAtEnd } from './lmdb-keys.js';
import { decodeReplica, encodeReplica } from './lmdb-records.js';
import { NO_PAST, type FeedPast, type ReplicaRow } from './rows.js';
import { namespaceUnknown } from './store-errors.js';

/** How far replicas have seen the feeds, and what is forgotten, in the LMDB engine. */
export class LmdbKnowledge implements KnowledgeStore {
  constructor(readonly environment: MetadataEnvironment) {}

  async note(namespaceId: NamespaceId, id: ReplicaId, seen: Cursor, atMs: number): Promise<void> {
    const row = { id, seen, heardAtMs: atMs };
    if (!(await this.environment.read(() => this.#isNews(namespaceId, row)))) return;
    await this.environment.write(() => {
      // Another write may have come in between.
      if (!this.#isNews(namespaceId, row)) return;
      void this.environment.trees.replicas.put(replicaKey(namespaceId, id), encodeReplica(row));
    });
  }

  list(namespaceId: NamespaceId): Promise<readonly ReplicaRow[]> {
    return this.environment.read(() => this.#replicas(namespaceId));
  }

  compact(namespaceId: NamespaceId, atMs: number): Promise<Compaction> {
    return this.environment.write(() => {
      const { trees } = this.environment;
      const namespace = idBytes(namespaceId);
      const before = this.pastOf(namespaceId);
      const replicas = this.#replicas(namespaceId);
      for (const replica of replicas) {
        if (isGone(replica, atMs)) void trees.replicas.remove(replicaKey(namespaceId, replica.id));
      }
      const marks = marksAt(before.marks, this.#end(namespaceId), atMs);
      const through = forgettableThrough({ ...before, marks }, replicas, atMs);
      const limit = metadataLimits.tombstonesPerStep;
      const range = { start: cursorKey(namespace, 0), end: cursorKey(namespace, through + 1), limit };
      const keys = keysOf(trees.tombstones, range);
      for (const key of keys) this.#forget(namespace, key);
      const last = keys.at(-1);
      const forgottenThrough = last === undefined ? before.forgottenThrough : cursorOfKey(last);
      const past: FeedPast = { marks, forgottenThrough };
      if (marks !== before.marks || last !== undefined) void trees.pasts.put(namespace, encodeFeedPast(past));
      return { forgotten: keys.length, isDone: keys.length < limit };
    });
  }

  /** Within a transaction or read. */
  pastOf(namespaceId: NamespaceId): FeedPast {
    const record = this.environment.trees.pasts.getBinaryFast(idBytes(namespaceId));
    return record === undefined ? NO_PAST : decodeFeedPast(copyOf(record));
  }

  /** The deletion at this key of the tombstones leaves the feed, and its path has never been. The journal keeps it. */
  #forget(namespace: Buffer, key: Uint8Array): void {
    const { journal, feed, paths, tombstones } = this.environment.trees;
    const entry = journal.getBinaryFast(key);
    if (entry === undefined) throw new Error('the journal lacks a deletion of the feed');
    void paths.remove(pathKey(namespace, decodeItem(copyOf(entry)).path));
    void feed.remove(key);
    void tombstones.remove(key);
  }

  #isNews(namespaceId: NamespaceId, { id, seen, heardAtMs }: ReplicaRow): boolean {
    const end = this.#end(namespaceId);
    if (seen > end) throw cursorAhead(seen, end);
    const { replicas } = this.environment.trees;
    const record = replicas.getBinaryFast(replicaKey(namespaceId, id));
    if (record === undefined) {
      const limit = metadataLimits.replicasPerNamespace;
      return keysOf(replicas, { ...keysWithPrefix(idBytes(namespaceId)), limit }).length < limit;
    }
    const known = decodeReplica(id, record);
    return known.seen !== seen || heardAtMs - known.heardAtMs >= metadataLimits.replicaNotedMs;
  }

  #replicas(namespaceId: NamespaceId): ReplicaRow[] {
    const { replicas } = this.environment.trees;
    return keysOf(replicas, keysWithPrefix(idBytes(namespaceId))).map((key) => {
      const record = replicas.getBinaryFast(key);
      if (record === undefined) throw new Error('a replica is listed and not there');
      return decodeReplica(idAtEnd<ReplicaId>(key), record);
    });
  }

  #end(namespaceId: NamespaceId): Cursor {
    const record = this.environment.trees.heads.getBinaryFast(idBytes(namespaceId));
    if (record === undefined) throw namespaceUnknown(namespaceId);
    return decodeFeedHead(record).cursor;
  }
}

function replicaKey(namespaceId: NamespaceId, replica: ReplicaId): Buffer {
  return Buffer.concat([idBytes(namespaceId), idBytes(replica)]);
}
