import { checkPackedHashes } from '../common/block-hash.js';
import { systemClock, type Clock } from '../common/clock.js';
import type { NamespaceId } from '../common/ids.js';
import type { Receipt } from '../common/receipt.js';
import type { RpcChannel } from '../common/rpc/client.js';
import type { CallOptions } from '../common/rpc/method-types.js';
import type { Block } from './block.js';
import { blockMethods, type BlockCalls } from './block-codec.js';
import { fetchBlocks, type FetchedBlock } from './fetch-blocks.js';
import { PutBatches } from './put-batches.js';
import { uploadStream } from './upload-stream.js';

export type { Block } from './block.js';
export type { FetchedBlock } from './fetch-blocks.js';

/**
 * The client's end of the block protocol (proto/drystone/block/v1/block.proto). Errors are those of the RPCs, and
 * UNAVAILABLE where the server cannot be reached. Leaving an iteration early, or `options.signal`, cancels the call.
 */
export interface BlockClient {
  /**
   * Uploads blocks and yields receipts as groups of them become durable; ends when every block given is covered by a
   * receipt. The blocks' order does not matter; a block given twice may be sent and covered once. Small blocks share
   * messages, and no block waits for a successor that does not come. Bytes must not change until the block is covered.
   *
   * An error of `blocks` is raised as it is. After any error what receipts have covered stays stored, the rest must be
   * put again: repeating is harmless. INTERNAL where the server ends the stream without having covered everything.
   */
  put(
    namespaceId: NamespaceId,
    blocks: AsyncIterable<Block>,
    options?: CallOptions,
  ): AsyncGenerator<Receipt, void, undefined>;

  /**
   * Fetches blocks, asked for as packed hashes of at most 4,096 at a time; yields one result for each, in the order
   * asked. Every block has been verified. `data` shares memory with the message that it came in, of up to 4 MiB: copy
   * what is kept for long. What was asked for and not answered yet is held here, 32 bytes each.
   *
   * DATA_LOSS (BLOCK_HASH_MISMATCH) where the server sends a block that does not match its hash; INTERNAL where it
   * answers something else than what was asked.
   */
  get(
    namespaceId: NamespaceId,
    hashes: AsyncIterable<Uint8Array>,
    options?: CallOptions,
  ): AsyncGenerator<FetchedBlock, void, undefined>;

  /** For each packed list of at most 4,096 hashes, in order: those not held for the namespace, packed, in their order. */
  missing(
    namespaceId: NamespaceId,
    hashes: AsyncIterable<Uint8Array>,
    options?: CallOptions,
  ): AsyncGenerator<Uint8Array, void, undefined>;
}

/** The block server at the other end of `channel`. */
export function connectBlockServer(channel: RpcChannel, clock: Clock = systemClock): BlockClient {
  const calls: BlockCalls = channel.service(blockMethods);
  return {
    async *put(namespaceId, blocks, options) {
      const source = blocks[Symbol.asyncIterator]();
      const batches = new PutBatches(source, clock);
      try {
        while (!(await batches.isFinished())) yield* uploadStream(calls, namespaceId, batches, options);
      } finally {
        // Not waited for: a source that has nothing to give would keep the caller here.
        source.return?.().catch(() => undefined);
      }
    },
    get: (namespaceId, hashes, options) => fetchBlocks(calls, namespaceId, hashes, options),
    async *missing(namespaceId, hashes, options) {
      for await (const { missingHashes } of calls.hasBlocks(asRequests(namespaceId, hashes), options)) {
        checkPackedHashes('missing_hashes', missingHashes);
        yield missingHashes;
      }
    },
  };
}

async function* asRequests(
  namespaceId: NamespaceId,
  lists: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ namespaceId: NamespaceId; hashes: Uint8Array }, void, undefined> {
  for await (const hashes of lists) {
    checkPackedHashes('hashes', hashes);
    yield { namespaceId, hashes };
  }
}
