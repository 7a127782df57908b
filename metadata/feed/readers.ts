import type { Clock } from '../../common/clock.js';
import type { ReaderPlace } from '../../common/feed-service/feed-source.js';
import { FeedWalks } from '../../common/feed-service/feed-walks.js';
import type { AgentIdentity, DeviceIdentity } from '../../common/identity/identity.js';
import type { Cursor, NamespaceId, ReplicaId } from '../../common/ids.js';
import { metadataLimits } from '../../common/limits.js';
import type { MetadataStore } from '../store/contract.js';

/** Who reads the feeds, where each stands, and what each has seen. */
export class Readers {
  readonly #walks = new FeedWalks(metadataLimits.feedWalks);

  constructor(
    readonly store: Pick<MetadataStore, 'journal' | 'knowledge'>,
    readonly clock: Clock,
  ) {}

  /** Where one stands who asks for what comes after a cursor. NOT_FOUND (NAMESPACE_UNKNOWN). */
  async place(namespaceId: NamespaceId, reader: AgentIdentity | DeviceIdentity, after: Cursor): Promise<ReaderPlace> {
    const { cursor: end } = await this.store.journal.feedHead(namespaceId);
    return { after, begunAt: this.#walks.begunAt(namespaceId, idOf(reader), after, end) };
  }

  /** One who stood there was given what comes up to `next`. */
  moved(
    namespaceId: NamespaceId,
    reader: AgentIdentity | DeviceIdentity,
    { begunAt }: ReaderPlace,
    next: Cursor,
  ): void {
    this.#walks.moved(namespaceId, idOf(reader), next, begunAt);
  }

  /**
   * A replica subscribes from there, and has made durable what lies before. One that begins at 0 need not hear of what was
   * deleted by then. Raises the errors of `KnowledgeStore.note`.
   */
  subscribed(namespaceId: NamespaceId, replica: ReplicaId, { after, begunAt = after }: ReaderPlace): Promise<void> {
    const seen = Math.max(after, begunAt) as Cursor;
    return this.store.knowledge.note(namespaceId, replica, seen, this.clock.nowMs());
  }
}

function idOf(reader: AgentIdentity | DeviceIdentity): string {
  return reader.kind === 'agent' ? reader.agentId : reader.deviceId;
}
