import { hashAt, hashCount } from '../../common/block-hash.js';
import { DrystoneError, toDrystoneError } from '../../common/errors.js';
import { namedBlocks } from '../../common/feed/named-blocks.js';
import { parsePushedItems, type NewItem } from '../../common/feed/push-items.js';
import type { NamespaceId } from '../../common/ids.js';
import { wireLimits } from '../../common/limits.js';
import type { Logger } from '../../common/logging.js';
import { receiptToMessage } from '../../common/receipt-message.js';
import { PushRequest, type PushResponse } from '../../proto/gen/drystone/feed/v1/feed.js';
import type { Receipt as ReceiptMessage } from '../../proto/gen/drystone/block/v1/block.js';
import type { BlockStore } from '../../server/block-store.js';
import type { ReceiptSigner } from '../../server/receipt-signer.js';
import type { FeedMetrics } from './feed-metrics.js';
import type { FeedStore, ProvisionalMessage } from './feed-store.js';
import type { FeedCaller } from './follow-feed.js';

export interface RelayParts {
  readonly feed: FeedCaller;
  readonly store: FeedStore;
  readonly blocks: Pick<BlockStore, 'sizes'>;
  readonly receipts: ReceiptSigner;
  readonly metrics: FeedMetrics;
  readonly logger: Logger;
}

/**
 * Passes on to metadata what waits in a namespace's log, in its order, each message as it was pushed, and takes it out of
 * the log when metadata has answered. One that metadata refuses for good is taken out as well, and counted: its device
 * pushes it again itself. Resolves when the log is empty; raises what may be different another time. `onRelayed` is told
 * of each message that is out of the log.
 */
export async function relayLog(
  parts: RelayParts,
  namespaceId: NamespaceId,
  { signal, onRelayed }: { readonly signal: AbortSignal; readonly onRelayed: () => void },
): Promise<void> {
  const { store, metrics, logger } = parts;
  for (;;) {
    const first = await store.firstProvisional(namespaceId);
    if (first === undefined) return;
    try {
      await relay(parts, namespaceId, first, signal);
      metrics.relayed();
    } catch (thrown) {
      const error = toDrystoneError(thrown);
      if (signal.aborted || !isFinal(error)) throw error;
      metrics.refused();
      const { reason, message } = error;
      logger.warn({ namespaceId, reason }, `metadata has refused for good what a device had pushed here: ${message}`);
    }
    await store.removeProvisional(namespaceId, first.sequence);
    onRelayed();
  }
}

/** Receipts first, in messages of their own, then the items: together they might be more than a message may be. */
async function relay(
  { feed, blocks, receipts: signer }: RelayParts,
  namespaceId: NamespaceId,
  { message }: ProvisionalMessage,
  signal: AbortSignal,
): Promise<void> {
  const request = PushRequest.decode(message);
  const receipts: ReceiptMessage[] = [];
  for (const hashes of await heldBlocks(blocks, namespaceId, parsePushedItems(request))) {
    receipts.push(receiptToMessage(signer.sign(namespaceId, hashes)));
  }
  let answer: PushResponse | undefined;
  for await (const next of feed.push(messagesOf(request, receipts), { signal })) answer = next;
  if (answer === undefined) throw new DrystoneError('UNAVAILABLE', 'TRANSPORT', 'metadata ended the stream');
  if (answer.missingHashes.length === 0) return;
  const count = hashCount(answer.missingHashes);
  const lost = `${count} of its blocks are no longer here; the device puts them again`;
  throw new DrystoneError('PERMISSION_DENIED', 'BLOCKS_UNAVAILABLE', lost);
}

async function* messagesOf(
  request: PushRequest,
  receipts: readonly ReceiptMessage[],
): AsyncGenerator<PushRequest, void, undefined> {
  const { namespaceId } = request;
  for (let start = 0; start < receipts.length; start += wireLimits.receiptsPerCommit) {
    const some = receipts.slice(start, start + wireLimits.receiptsPerCommit);
    yield { namespaceId, items: [], receipts: some, endorsement: undefined };
  }
  yield request;
}

/** Those blocks of the items that are here for the namespace, in packed lists; a receipt is signed for no others. */
async function heldBlocks(
  blocks: Pick<BlockStore, 'sizes'>,
  namespaceId: NamespaceId,
  items: readonly NewItem[],
): Promise<Uint8Array[]> {
  const lists: Uint8Array[] = [];
  for (const hashes of namedBlocks(items)) {
    const sizes = await blocks.sizes(namespaceId, hashes);
    const held = sizes.flatMap((size, index) => (size > 0 ? [hashAt(hashes, index)] : []));
    if (held.length > 0) lists.push(Buffer.concat(held));
  }
  return lists;
}

/**
 * Whether metadata will say the same of a message whenever it is asked. A receipt that it does not take is the agent's own
 * doing, such as a clock that is wrong.
 */
function isFinal({ code, reason }: DrystoneError): boolean {
  return code === 'INVALID_ARGUMENT' || (code === 'PERMISSION_DENIED' && reason !== 'RECEIPT_INVALID');
}
