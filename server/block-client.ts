import type { Clock } from '../common/clock.js';
import type { NamespaceId } from '../common/ids.js';
import type { Receipt } from '../common/receipt.js';
import type { RpcChannel } from '../common/rpc/client.js';
import type { CallOptions } from '../common/rpc/method-types.js';
import { AskedLists, askMissing } from './ask-missing.js';
import type { Block } from './block.js';
import { blockMethods, type BlockCalls } from './block-codec.js';
import { AskedHashes, fetchBlocks, type FetchedBlock } from './fetch-blocks.js';
import { PutBatches } from './put-batches.js';
import { SharedSource } from './shared-source.js';
import { inTurns, type Authorize, type Pending, type StreamTurn } from './stream-turns.js';
import { SentBlocks, uploadStream } from './upload-stream.js';

export type { Block } from './block.js';
export type { FetchedBlock } from './fetch-blocks.js';
export type { Authorize } from './stream-turns.js';

export interface GetOptions extends CallOptions {
  /** Called when a server that has nothing to send yet says that it is alive: peers do. */
  readonly onSign?: () => void;
}

/**
 * The client's end of the block protocol (proto/drystone/block/v1/block.proto). Errors are those of the RPCs, and
 * UNAVAILABLE where the server cannot be reached. Leaving an iteration early, or `options.signal`, cancels the call.
 *
 * A call takes as many streams as it needs, one after the other and each with an access token of its own, so it may last
 * longer than any token. Nothing is lost, repeated or reordered from one stream to the next. Where a server ends a stream
 * because its token has expired all the same, what it leaves undone is asked for, or sent, once more.
 */
export interface BlockClient {
  /**
   * Uploads blocks and yields receipts as groups of them become durable; ends when every block given is covered by a
   * receipt. The blocks' order does not matter; a block given twice may be sent and covered once. Small blocks share
   * messages, and no block waits for a successor that does not come. Bytes must not change until the block is covered.
   *
   * An error of `blocks` is raised as it is. After any error what receipts have covered stays stored, the rest must be
   * put again: repeating is harmless. INTERNAL where the server ends the stream without having covered everything;
   * UNAUTHENTICATED (TOKEN_EXPIRED) where what was sent took so long to arrive that the token had ended.
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
    options?: GetOptions,
  ): AsyncGenerator<FetchedBlock, void, undefined>;

  /** For each packed list of at most 4,096 hashes, in order: those not held for the namespace, packed, in their order. */
  missing(
    namespaceId: NamespaceId,
    hashes: AsyncIterable<Uint8Array>,
    options?: CallOptions,
  ): AsyncGenerator<Uint8Array, void, undefined>;
}

/**
 * The block server at the other end of `channel`.
 *
 * @param authorize gets an access token for each stream
 */
export function connectBlockServer(channel: RpcChannel, clock: Clock, authorize: Authorize): BlockClient {
  const calls: BlockCalls = channel.service(blockMethods);

  /** One stream after the other, until the source has nothing left and nothing is pending. */
  async function* transfer<T>(
    { namespaceId, call }: { readonly namespaceId: NamespaceId; readonly call: CallOptions | undefined },
    source: SharedSource<unknown>,
    pending: Pending,
    open: (turn: StreamTurn) => AsyncGenerator<T, void, undefined>,
  ): AsyncGenerator<T, void, undefined> {
    try {
      yield* inTurns({ clock, authorize, namespaceId, call }, source, pending, open);
    } finally {
      source.close();
    }
  }

  return {
    put(namespaceId, blocks, call) {
      const source = new SharedSource(blocks);
      const batches = new PutBatches(source, clock);
      const sent = new SentBlocks();
      return transfer({ namespaceId, call }, source, sent, (turn) =>
        uploadStream(calls, namespaceId, batches, sent, turn),
      );
    },
    get(namespaceId, hashes, call) {
      const source = new SharedSource(hashes);
      const asked = new AskedHashes(source);
      return transfer({ namespaceId, call }, source, asked, (turn) =>
        fetchBlocks(calls, namespaceId, asked, turn, call?.onSign ?? ((): void => undefined)),
      );
    },
    missing(namespaceId, hashes, call) {
      const source = new SharedSource(hashes);
      const asked = new AskedLists(source);
      return transfer({ namespaceId, call }, source, asked, (turn) => askMissing(calls, namespaceId, asked, turn));
    },
  };
}
