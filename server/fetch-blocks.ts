import type { GetBlocksResponse } from '../proto/gen/drystone/block/v1/block.js';
import { asBuffer, checkPackedHashes, HASH_BYTES, hashAt, hashCount, hashHex } from '../common/block-hash.js';
import { mapAhead } from '../common/concurrency/map-ahead.js';
import { DrystoneError } from '../common/errors.js';
import type { NamespaceId } from '../common/ids.js';
import { blockServerLimits } from '../common/limits.js';
import type { Block } from './block.js';
import type { BlockCalls } from './block-codec.js';
import { blocksOfBatch, findMismatch } from './incoming-batch.js';
import type { SharedSource } from './shared-source.js';
import type { StreamTurn } from './stream-turns.js';

/** What a server had to say about one block asked for. */
export interface FetchedBlock {
  readonly hash: Uint8Array;
  /** Undefined where the server does not hold it for the namespace. */
  readonly data: Buffer | undefined;
}

/** A verified answer: some of the blocks asked for, and the hashes of others that are missing. */
interface Answer {
  readonly blocks: readonly Block[];
  readonly missingHashes: Uint8Array;
}

/**
 * Asks for blocks over one get stream until its turn is over, first for those that an earlier stream was asked for in
 * vain; `BlockClient.get` says what it promises.
 */
export async function* fetchBlocks(
  calls: BlockCalls,
  namespaceId: NamespaceId,
  asked: AskedHashes,
  turn: StreamTurn,
  onSign: () => void,
): AsyncGenerator<FetchedBlock, void, undefined> {
  const responses = calls.getBlocks(turn.requests(asked.requests(namespaceId, turn.over)), turn.options);
  for await (const answer of mapAhead(responses, blockServerLimits.getMessagesAhead, verifyAnswer)) {
    if (answer.blocks.length === 0 && answer.missingHashes.length === 0) onSign();
    for (const block of asked.match(answer)) yield block;
  }
  if (asked.count > 0) throw notWhatWasAsked(`left ${asked.count} blocks unanswered`);
}

async function verifyAnswer({ batch, missingHashes }: GetBlocksResponse): Promise<Answer> {
  checkPackedHashes('missing_hashes', missingHashes);
  const blocks = batch === undefined ? [] : blocksOfBatch('batch', batch);
  const index = await findMismatch(blocks);
  const block = index === undefined ? undefined : blocks[index];
  if (block === undefined) return { blocks, missingHashes };
  const message = `the block server sent content that is not that of ${hashHex(block.hash)}; fetch it from another one`;
  throw new DrystoneError('DATA_LOSS', 'BLOCK_HASH_MISMATCH', message);
}

/** The hashes asked for and not answered, in their order. */
export class AskedHashes {
  readonly #lists: Uint8Array[] = [];
  /** The first hash of the first list that is not answered. */
  #position = 0;

  readonly isRepeatable = true;

  constructor(private readonly source: SharedSource<Uint8Array>) {}

  get count(): number {
    return this.#lists.reduce((sum, list) => sum + hashCount(list), 0) - this.#position;
  }

  async *requests(
    namespaceId: NamespaceId,
    over: AbortSignal,
  ): AsyncGenerator<{ namespaceId: NamespaceId; hashes: Uint8Array }, void, undefined> {
    const [first, ...others] = this.#lists;
    if (first !== undefined) yield { namespaceId, hashes: first.subarray(this.#position * HASH_BYTES) };
    for (const hashes of others) yield { namespaceId, hashes };
    for await (const hashes of this.source.until(over)) {
      if (checkPackedHashes('hashes', hashes) === 0) continue;
      this.#lists.push(hashes);
      yield { namespaceId, hashes };
    }
  }

  /** An answer's blocks and missing hashes, each of which is in the order asked, merged back into that order. */
  *match({ blocks, missingHashes }: Answer): Generator<FetchedBlock, void, undefined> {
    let blockIndex = 0;
    let missingIndex = 0;
    while (blockIndex < blocks.length || missingIndex < hashCount(missingHashes)) {
      const expected = this.#take();
      const block = blocks[blockIndex];
      if (block !== undefined && expected.equals(block.hash)) {
        blockIndex++;
        yield { hash: expected, data: asBuffer(block.data) };
      } else if (expected.equals(hashAt(missingHashes, missingIndex))) {
        missingIndex++;
        yield { hash: expected, data: undefined };
      } else {
        throw notWhatWasAsked(`did not answer ${hashHex(expected)} in its turn`);
      }
    }
  }

  #take(): Buffer {
    const list = this.#lists[0];
    if (list === undefined) throw notWhatWasAsked('answered more than was asked');
    const hash = asBuffer(hashAt(list, this.#position++));
    if (this.#position === hashCount(list)) {
      this.#lists.shift();
      this.#position = 0;
    }
    return hash;
  }
}

function notWhatWasAsked(what: string): DrystoneError {
  return new DrystoneError('INTERNAL', 'INTERNAL', `the block server ${what}; it is broken or of another release`);
}
