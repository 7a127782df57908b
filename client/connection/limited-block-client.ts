import type { ByteRate } from '../../common/concurrency/byte-rate.js';
import type { Block, BlockClient, FetchedBlock } from '../../server/block-client.js';

/** How fast blocks may travel, over all connections of a program together; undefined for as fast as they can. */
export interface Bandwidth {
  readonly up: ByteRate | undefined;
  readonly down: ByteRate | undefined;
}

/** No limit. */
export const unlimited: Bandwidth = { up: undefined, down: undefined };

/** The same block server, with what is put and what is got held to a bandwidth. */
export function limitBandwidth(client: BlockClient, { up, down }: Bandwidth): BlockClient {
  return {
    put: (namespaceId, blocks, options) =>
      client.put(namespaceId, up === undefined ? blocks : pacedBlocks(blocks, up), options),
    get: (namespaceId, hashes, options) => {
      const fetched = client.get(namespaceId, hashes, options);
      return down === undefined ? fetched : pacedAnswers(fetched, down, options?.signal);
    },
    missing: (namespaceId, hashes, options) => client.missing(namespaceId, hashes, options),
  };
}

async function* pacedBlocks(blocks: AsyncIterable<Block>, rate: ByteRate): AsyncGenerator<Block, void, undefined> {
  for await (const block of blocks) {
    await rate.take(block.data.length);
    yield block;
  }
}

/** What is not read is not sent: flow control holds the server back. */
async function* pacedAnswers(
  answers: AsyncIterable<FetchedBlock>,
  rate: ByteRate,
  signal: AbortSignal | undefined,
): AsyncGenerator<FetchedBlock, void, undefined> {
  for await (const answer of answers) {
    if (answer.data !== undefined) await rate.take(answer.data.length, signal);
    yield answer;
  }
}
