import type { Clock } from '../../common/clock.js';
import type { PushDecision } from '../../common/feed/decide-push.js';
import { checkTimes } from '../../common/feed/push-items.js';
import type { AgentIdentity, DeviceIdentity } from '../../common/identity/identity.js';
import { parseNamespaceId, type NamespaceId } from '../../common/ids.js';
import type { PushRequest } from '../../proto/gen/drystone/feed/v1/feed.js';
import type { CommitMetrics } from '../metrics.js';
import { StreamField } from '../requests/stream-field.js';
import type { MetadataStore } from '../store/contract.js';
import type { Access } from '../trust/access.js';
import type { CommitBatch } from './commit-batch.js';
import { parseCommitRequest } from './commit-request.js';
import { committerOf } from './committer.js';
import type { ReceiptVerifier } from './receipt-verifier.js';

export interface CommitParts {
  readonly access: Pick<Access, 'authoriseHolder' | 'endorser'>;
  readonly store: Pick<MetadataStore, 'journal'>;
  readonly verifier: ReceiptVerifier;
  readonly metrics: CommitMetrics;
  readonly clock: Clock;
}

interface Prepared {
  readonly namespaceId: NamespaceId;
  readonly batch: CommitBatch;
}

/**
 * The commits of one stream. They may overlap, so that several share a sync, and still take effect in their order: each is
 * checked after the one before has been checked, and once one is refused none after it is begun.
 */
export class CommitStream {
  readonly #namespace = new StreamField('namespace_id', parseNamespaceId);
  #lastPrepared: Promise<unknown> = Promise.resolve();

  constructor(
    readonly parts: CommitParts,
    /** A device, or an agent that passes on what devices have pushed to it. */
    readonly caller: AgentIdentity | DeviceIdentity,
  ) {}

  /** Resolves when the commit is durable. For errors see FeedService.Push; the request then changed nothing. */
  async commit(request: PushRequest): Promise<PushDecision> {
    const { store, metrics, clock } = this.parts;
    const startedMs = clock.monotonicMs();
    const prepared = this.#lastPrepared.then(() => this.#prepare(request));
    this.#lastPrepared = prepared;
    const { namespaceId, batch } = await prepared;
    const decision = await store.journal.commit(namespaceId, batch);
    metrics.committed(batch, decision, clock.monotonicMs() - startedMs);
    return decision;
  }

  async #prepare(request: PushRequest): Promise<Prepared> {
    const namespaceId = this.#namespace.of(request.namespaceId);
    const { access, verifier, clock } = this.parts;
    const namespace = await access.authoriseHolder(this.caller, namespaceId, 'editor');
    const { items, receipts } = parseCommitRequest(request);
    checkTimes(
      items.map(({ item }) => item),
      clock.nowMs(),
    );
    const by = await committerOf(this.parts, this.caller, { namespace, items, endorsement: request.endorsement });
    const stored = await verifier.verify(namespace, receipts);
    return { namespaceId, batch: { items, stored, ...by } };
  }
}
