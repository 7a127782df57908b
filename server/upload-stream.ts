import { hashCount, hashKey, hashKeyAt, type HashKey } from '../common/block-hash.js';
import { DrystoneError, invalidArgument } from '../common/errors.js';
import type { NamespaceId } from '../common/ids.js';
import { blockServerLimits, wireLimits } from '../common/limits.js';
import { receiptOfMessage } from '../common/receipt-message.js';
import type { Receipt } from '../common/receipt.js';
import type { CallOptions } from '../common/rpc/method-types.js';
import type { Block } from './block.js';
import type { BlockCalls, OutgoingPut } from './block-codec.js';
import type { PutBatches } from './put-batches.js';

/**
 * Sends batches over one put stream, up to the number of blocks that a stream may carry, and yields the receipts. Ends
 * when all that was sent is covered; INTERNAL where the server ends the stream before.
 */
export async function* uploadStream(
  calls: BlockCalls,
  namespaceId: NamespaceId,
  batches: PutBatches,
  options: CallOptions | undefined,
): AsyncGenerator<Receipt, void, undefined> {
  const ledger = new SentBlocks();
  for await (const { receipt: message } of calls.putBlocks(putRequests(namespaceId, batches, ledger), options)) {
    if (message === undefined) continue;
    const receipt = receiptOfMessage('receipt', message);
    ledger.cover(receipt.hashes);
    yield receipt;
  }
  if (ledger.uncoveredCount > 0) {
    const message = `the block server ended the stream without a receipt for ${ledger.uncoveredCount} blocks; put them again`;
    throw new DrystoneError('INTERNAL', 'INTERNAL', message);
  }
}

async function* putRequests(
  namespaceId: NamespaceId,
  batches: PutBatches,
  ledger: SentBlocks,
): AsyncGenerator<OutgoingPut, void, undefined> {
  for (;;) {
    const read = await batches.read(blockServerLimits.blocksPerPutStream - ledger.sentCount);
    if (read === undefined) return;
    const blocks = read.filter((block) => ledger.send(block));
    if (blocks.length === 0) continue;
    const hashes = Buffer.concat(blocks.map(({ hash }) => hash));
    const batch = { hashes, sizes: blocks.map(({ data }) => data.length), data: blocks.map(({ data }) => data) };
    yield { namespaceId, batch };
  }
}

/** What one stream has sent, and what of it has no receipt yet. */
class SentBlocks {
  readonly #sent = new Set<HashKey>();
  readonly #uncovered = new Set<HashKey>();

  get sentCount(): number {
    return this.#sent.size;
  }

  get uncoveredCount(): number {
    return this.#uncovered.size;
  }

  /** Notes a block as sent; false where it has been before. INVALID_ARGUMENT where no server would take it. */
  send({ hash, data }: Block): boolean {
    if (data.length < 1 || data.length > wireLimits.blockBytes) {
      throw invalidArgument('data', `a block must have 1 to ${wireLimits.blockBytes} bytes, not ${data.length}`);
    }
    const key = hashKey(hash);
    if (this.#sent.has(key)) return false;
    this.#sent.add(key);
    this.#uncovered.add(key);
    return true;
  }

  cover(hashes: Uint8Array): void {
    for (let index = 0; index < hashCount(hashes); index++) this.#uncovered.delete(hashKeyAt(hashes, index));
  }
}
