import { hashCount, hashKey, hashKeyAt, type HashKey } from '../common/block-hash.js';
import { AbortableWaits } from '../common/concurrency/abortable-waits.js';
import { DrystoneError, invalidArgument } from '../common/errors.js';
import type { NamespaceId } from '../common/ids.js';
import { blockServerLimits, wireLimits } from '../common/limits.js';
import { receiptOfMessage } from '../common/receipt-message.js';
import type { Receipt } from '../common/receipt.js';
import type { Block } from './block.js';
import type { BlockCalls, OutgoingPut } from './block-codec.js';
import type { PutBatches } from './put-batches.js';
import type { StreamTurn } from './stream-turns.js';

/**
 * Sends batches over one put stream, up to the number of blocks that a stream may carry and until its turn is over, and
 * yields the receipts. Ends when all that was sent is covered; INTERNAL where the server ends the stream before. Begins
 * with what an earlier stream of the same ledger has sent in vain.
 */
export async function* uploadStream(
  calls: BlockCalls,
  namespaceId: NamespaceId,
  batches: PutBatches,
  ledger: SentBlocks,
  turn: StreamTurn,
): AsyncGenerator<Receipt, void, undefined> {
  batches.source.putBack(ledger.begin());
  const requests = turn.requests(putRequests(namespaceId, batches, ledger, turn.over));
  for await (const { receipt: message } of calls.putBlocks(requests, turn.options)) {
    if (message === undefined) continue;
    const receipt = receiptOfMessage('receipt', message);
    ledger.cover(receipt.hashes);
    yield receipt;
  }
  if (ledger.count > 0) {
    const message = `the block server ended the stream without a receipt for ${ledger.count} blocks; put them again`;
    throw new DrystoneError('INTERNAL', 'INTERNAL', message);
  }
}

async function* putRequests(
  namespaceId: NamespaceId,
  batches: PutBatches,
  ledger: SentBlocks,
  over: AbortSignal,
): AsyncGenerator<OutgoingPut, void, undefined> {
  const waits = new AbortableWaits(over);
  try {
    // A source that has nothing to give does not keep the stream open.
    while ((await waits.until(batches.source.isFinished())) === false) {
      const read = await batches.read(blockServerLimits.blocksPerPutStream - ledger.sentCount);
      if (read === undefined) return;
      const blocks = read.filter((block) => ledger.send(block));
      if (blocks.length === 0) continue;
      const hashes = Buffer.concat(blocks.map(({ hash }) => hash));
      const batch = { hashes, sizes: blocks.map(({ data }) => data.length), data: blocks.map(({ data }) => data) };
      yield { namespaceId, batch };
    }
  } finally {
    waits.end();
  }
}

/** What a stream has sent, and what of it has no receipt yet. */
export class SentBlocks {
  readonly #sent = new Set<HashKey>();
  readonly #uncovered = new Set<HashKey>();
  /**
   * The blocks themselves, until the first receipt shows that the stream was let in. To keep them for longer, until their
   * receipts, would keep them alive into V8's old generation and cost a tenth of the client's time.
   */
  #unheard: Block[] | undefined = [];

  get sentCount(): number {
    return this.#sent.size;
  }

  /** Blocks without a receipt. */
  get count(): number {
    return this.#uncovered.size;
  }

  /** Whether everything without a receipt can be sent again. */
  get isRepeatable(): boolean {
    return this.count === 0 || this.#unheard !== undefined;
  }

  /** Begins a stream; returns what an earlier one has sent in vain. */
  begin(): readonly Block[] {
    const unheard = this.#unheard ?? [];
    this.#unheard = [];
    this.#sent.clear();
    this.#uncovered.clear();
    return unheard;
  }

  /** Notes a block as sent; false where it has been before. INVALID_ARGUMENT where no server would take it. */
  send(block: Block): boolean {
    const { hash, data } = block;
    if (data.length < 1 || data.length > wireLimits.blockBytes) {
      throw invalidArgument('data', `a block must have 1 to ${wireLimits.blockBytes} bytes, not ${data.length}`);
    }
    const key = hashKey(hash);
    if (this.#sent.has(key)) return false;
    this.#sent.add(key);
    this.#uncovered.add(key);
    this.#unheard?.push(block);
    return true;
  }

  cover(hashes: Uint8Array): void {
    this.#unheard = undefined;
    for (let index = 0; index < hashCount(hashes); index++) this.#uncovered.delete(hashKeyAt(hashes, index));
  }
}
