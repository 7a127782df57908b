import { hashAt, hashCount } from '../../common/block-hash.js';
import type { Clock } from '../../common/clock.js';
import { invalidArgument } from '../../common/errors.js';
import { pushResponseOf } from '../../common/feed-service/feed-methods.js';
import type { PushDecision } from '../../common/feed/decide-push.js';
import { checkEndorsement, endorsementInvalid } from '../../common/feed/endorsement.js';
import { namedBlocks } from '../../common/feed/named-blocks.js';
import { checkTimes, parsePushedItems, type NewItem } from '../../common/feed/push-items.js';
import type { DeviceId, NamespaceId } from '../../common/ids.js';
import { PushRequest, type PushResponse } from '../../proto/gen/drystone/feed/v1/feed.js';
import type { StreamAccess } from '../../server/block-access.js';
import type { BlockStore } from '../../server/block-store.js';
import { StreamNamespace } from '../../server/stream-namespace.js';
import { whileValid } from '../../server/while-valid.js';
import type { FeedMetrics } from './feed-metrics.js';
import type { FeedStore } from './feed-store.js';

export interface ProvisionalParts {
  readonly store: FeedStore;
  readonly blocks: Pick<BlockStore, 'sizes'>;
  readonly clock: Clock;
  readonly metrics: FeedMetrics;
  /** Told that a message waits in a namespace, after it is durable. */
  readonly onLogged: (namespaceId: NamespaceId) => void;
}

/**
 * FeedService.Push as an agent serves it: provisional. Each message is answered once its items and the message itself are
 * durable, one after the other; errors are those of the contract, and end the stream.
 */
export async function* provisionalPushes(
  parts: ProvisionalParts,
  access: StreamAccess,
  requests: AsyncIterable<PushRequest>,
): AsyncGenerator<PushResponse, void, undefined> {
  const namespace = new StreamNamespace(access, 'write');
  for await (const request of whileValid(access, requests)) {
    const decision = await pushOne(parts, access.device, namespace.of(request.namespaceId), request);
    parts.metrics.pushed(decision);
    yield pushResponseOf(decision);
  }
}

async function pushOne(
  { store, blocks, clock, onLogged }: ProvisionalParts,
  device: DeviceId,
  namespaceId: NamespaceId,
  { items: wireItems, endorsement }: PushRequest,
): Promise<PushDecision> {
  const items = parsePushedItems({ items: wireItems });
  checkTimes(
    items.map(({ item }) => item),
    clock.nowMs(),
  );
  if (endorsement === undefined) {
    throw invalidArgument('endorsement', 'must be set: metadata takes nothing from an agent that no device has signed');
  }
  const encoded = items.map((item) => item.encoded);
  if (checkEndorsement(endorsement, { namespaceId, items: encoded }).device !== device) {
    throw endorsementInvalid('is that of another device than the one that calls; each signs its own messages');
  }
  const missing = await missingHere(blocks, namespaceId, items);
  if (missing !== undefined) {
    const { feed } = await store.progress(namespaceId);
    return { feed, missing, merged: [], writes: [] };
  }
  const message = PushRequest.encode({ namespaceId, items: wireItems, receipts: [], endorsement }).finish();
  const decision = await store.push(namespaceId, { batch: { items, committer: device }, message });
  if (decision.writes.length > 0) onLogged(namespaceId);
  return decision;
}

/** Blocks of the items that are not held here for the namespace: packed, as many as a message may list; or undefined. */
async function missingHere(
  blocks: Pick<BlockStore, 'sizes'>,
  namespaceId: NamespaceId,
  items: readonly NewItem[],
): Promise<Uint8Array | undefined> {
  for (const hashes of namedBlocks(items)) {
    const sizes = await blocks.sizes(namespaceId, hashes);
    const missing = Array.from({ length: hashCount(hashes) }, (_, index) => index).filter(
      (index) => sizes[index] === 0,
    );
    if (missing.length > 0) return Buffer.concat(missing.map((index) => hashAt(hashes, index)));
  }
  return undefined;
}
