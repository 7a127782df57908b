import type { PutBlocksRequest, PutBlocksResponse } from '../proto/gen/drystone/block/v1/block.js';
import { hashHex, hashKey, packKeys, type HashKey } from '../common/block-hash.js';
import { ByteBudget } from '../common/concurrency/byte-budget.js';
import { ChangeSignal } from '../common/concurrency/change-signal.js';
import { cancelled, DrystoneError, overloaded, toDrystoneError } from '../common/errors.js';
import type { NamespaceId } from '../common/ids.js';
import { blockServerLimits, wireLimits } from '../common/limits.js';
import { receiptToMessage } from '../common/receipt-message.js';
import type { Block } from './block.js';
import type { StreamAccess } from './block-access.js';
import type { BlockServer } from './block-server.js';
import { blocksOfBatch, findMismatch } from './incoming-batch.js';
import { StreamNamespace } from './stream-namespace.js';

/**
 * PutBlocks: one stream. Messages are read as long as their bytes fit the stream's and the server's budget; each is
 * hashed and stored by itself while the next ones arrive; what has become durable is gathered into receipts. After an
 * error nothing more is read or stored, what is being stored is finished and receipted, and then the error ends the stream.
 */
export class PutStream {
  readonly #namespace: StreamNamespace;
  #namespaceId: NamespaceId | undefined;
  readonly #budget = new ByteBudget(blockServerLimits.putBytesInFlight);
  readonly #progress = new ChangeSignal();
  /** Every block that a receipt covers or will: none may cover it twice. */
  readonly #covered = new Set<HashKey>();
  /** On disk, and in no receipt yet. */
  #durable: HashKey[] = [];
  #blocksReceived = 0;
  #batchesUnderWay = 0;
  #isReading = true;
  #error: DrystoneError | undefined;

  constructor(
    readonly server: BlockServer,
    readonly access: StreamAccess,
    readonly signal: AbortSignal,
  ) {
    this.#namespace = new StreamNamespace(access, 'write');
  }

  async *run(requests: AsyncIterable<PutBlocksRequest>): AsyncGenerator<PutBlocksResponse, void, undefined> {
    const stream = this.server.streams.enter('put', this.access, this.#budget);
    const endWatch = this.access.whenExpired((error) => {
      this.#fail(error);
      this.#progress.notify();
    });
    try {
      void this.#read(requests);
      for (;;) {
        const progress = this.#progress.arm(this.signal);
        for (const response of this.#receipts()) yield response;
        if (this.signal.aborted) throw cancelled('the upload');
        if (this.#isDone()) break;
        await progress;
      }
      if (this.#error !== undefined) throw this.#error;
    } finally {
      endWatch();
      stream.leave();
    }
  }

  #isDone(): boolean {
    const isQuiet = this.#batchesUnderWay === 0 && this.#durable.length === 0;
    return isQuiet && (!this.#isReading || this.#error !== undefined);
  }

  async #read(requests: AsyncIterable<PutBlocksRequest>): Promise<void> {
    try {
      for await (const request of requests) {
        if (this.#error !== undefined) break;
        this.#namespaceId = this.#namespace.of(request.namespaceId);
        const blocks = request.batch === undefined ? [] : blocksOfBatch('batch', request.batch);
        if (blocks.length > 0) await this.#begin(this.#namespaceId, blocks);
      }
    } catch (thrown) {
      this.#fail(thrown);
    } finally {
      this.#isReading = false;
      this.#progress.notify();
    }
  }

  /** Waits for the batch's share of the budgets; what then happens to it is not waited for. */
  async #begin(namespaceId: NamespaceId, blocks: readonly Block[]): Promise<void> {
    this.#blocksReceived += blocks.length;
    if (this.#blocksReceived > blockServerLimits.blocksPerPutStream) {
      const limit = `a stream may carry ${blockServerLimits.blocksPerPutStream} blocks; open another one for the rest`;
      throw overloaded(limit, 0);
    }
    const bytes = blocks.reduce((sum, { data }) => sum + data.length, 0);
    await this.#budget.take(bytes, this.signal);
    try {
      await this.server.putBudget.take(this.access.account, bytes, this.signal);
    } catch (thrown) {
      this.#budget.give(bytes);
      throw thrown;
    }
    this.#batchesUnderWay++;
    void this.#store(namespaceId, blocks).then(() => {
      this.#budget.give(bytes);
      this.server.putBudget.give(this.access.account, bytes);
      this.#batchesUnderWay--;
      this.#progress.notify();
    });
  }

  /** Never rejects: an error becomes the stream's. */
  async #store(namespaceId: NamespaceId, blocks: readonly Block[]): Promise<void> {
    try {
      await this.#verify(blocks);
      if (this.#error !== undefined) return;
      await this.server.store.put(namespaceId, blocks);
      for (const { hash } of blocks) {
        const key = hashKey(hash);
        if (this.#covered.has(key)) continue;
        this.#covered.add(key);
        this.#durable.push(key);
      }
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  async #verify(blocks: readonly Block[]): Promise<void> {
    const index = await findMismatch(blocks);
    const block = index === undefined ? undefined : blocks[index];
    if (block === undefined) return;
    this.server.metrics.verificationFailures.inc({ direction: 'put' });
    const field = `batch.hashes[${index}]`;
    const message = `${field}: the content sent is not that of ${hashHex(block.hash)}; read it again and send it with its own hash`;
    throw new DrystoneError('INVALID_ARGUMENT', 'BLOCK_HASH_MISMATCH', message, { field });
  }

  /** The first error is the stream's. */
  #fail(thrown: unknown): void {
    if (this.#error !== undefined) return;
    this.#error = toDrystoneError(thrown);
    if (this.#error.reason === 'DISK_FULL') this.server.metrics.refusals.inc({ cause: 'disk_full' });
  }

  *#receipts(): Generator<PutBlocksResponse, void, undefined> {
    const durable = this.#durable;
    const namespaceId = this.#namespaceId;
    if (durable.length === 0 || namespaceId === undefined) return;
    this.#durable = [];
    for (let start = 0; start < durable.length; start += wireLimits.hashesPerMessage) {
      const hashes = packKeys(durable.slice(start, start + wireLimits.hashesPerMessage));
      this.server.metrics.receipts.inc();
      yield { receipt: receiptToMessage(this.server.receipts.sign(namespaceId, hashes)) };
    }
  }
}
