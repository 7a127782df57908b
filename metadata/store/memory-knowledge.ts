import { cursorAhead } from '../../common/feed-service/feed-source.js';
import type { Cursor, NamespaceId, ReplicaId } from '../../common/ids.js';
import { metadataLimits } from '../../common/limits.js';
import { forgettableThrough, isGone, marksAt } from '../feed/compaction.js';
import type { Compaction, KnowledgeStore } from './contract.js';
import type { MemoryState } from './memory-state.js';
import type { ReplicaRow } from './rows.js';

/** How far replicas have seen the feeds, and what is forgotten, in the memory engine. */
export class MemoryKnowledge implements KnowledgeStore {
  constructor(readonly state: MemoryState) {}

  note(namespaceId: NamespaceId, id: ReplicaId, seen: Cursor, atMs: number): Promise<void> {
    return this.state.run(() => {
      const { feed, replicas } = this.state.knownNamespace(namespaceId);
      if (seen > feed.cursor) throw cursorAhead(seen, feed.cursor);
      const known = replicas.get(id);
      if (known === undefined && replicas.size >= metadataLimits.replicasPerNamespace) return;
      if (known?.seen === seen && atMs - known.heardAtMs < metadataLimits.replicaNotedMs) return;
      replicas.set(id, { id, seen, heardAtMs: atMs });
    });
  }

  list(namespaceId: NamespaceId): Promise<readonly ReplicaRow[]> {
    return this.state.run(() => {
      const replicas = this.state.namespaces.get(namespaceId)?.replicas ?? new Map<ReplicaId, ReplicaRow>();
      return [...replicas.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    });
  }

  compact(namespaceId: NamespaceId, atMs: number): Promise<Compaction> {
    return this.state.run(() => {
      const namespace = this.state.knownNamespace(namespaceId);
      const replicas = [...namespace.replicas.values()];
      for (const replica of replicas) if (isGone(replica, atMs)) namespace.replicas.delete(replica.id);
      const marks = marksAt(namespace.past.marks, namespace.feed.cursor, atMs);
      const through = forgettableThrough({ ...namespace.past, marks }, replicas, atMs);
      const tombstones = namespace.tombstones.filter((cursor) => cursor <= through);
      const forgotten = tombstones.slice(0, metadataLimits.tombstonesPerStep);
      for (const cursor of forgotten) namespace.forget(cursor);
      namespace.past = { marks, forgottenThrough: forgotten.at(-1) ?? namespace.past.forgottenThrough };
      return { forgotten: forgotten.length, isDone: forgotten.length < metadataLimits.tombstonesPerStep };
    });
  }
}
