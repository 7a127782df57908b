import type { NamespaceId } from '../../../common/ids.js';
import type { CallOptions } from '../../../common/rpc/method-types.js';
import type { Block } from '../../../server/block.js';
import type { BlockCalls, OutgoingPut } from '../../../server/block-codec.js';
import { DrystoneError } from '../../../common/errors.js';

/** The three RPCs of the block protocol, each as one who has a block, or only its hash, would use it. */
export type BlockMethodName = 'PutBlocks' | 'GetBlocks' | 'HasBlocks';
export const blockMethodNames: readonly BlockMethodName[] = ['PutBlocks', 'GetBlocks', 'HasBlocks'];

/** A stream of the method with one request for each of `blocks`, as they come. */
export function attempt(
  method: BlockMethodName,
  calls: BlockCalls,
  namespaceId: NamespaceId,
  blocks: AsyncIterable<Block>,
  options?: CallOptions,
): AsyncIterable<unknown> {
  switch (method) {
    case 'PutBlocks':
      return calls.putBlocks(
        mapped(blocks, (block) => putOf(namespaceId, block)),
        options,
      );
    case 'GetBlocks':
      return calls.getBlocks(
        mapped(blocks, ({ hash }) => ({ namespaceId, hashes: hash })),
        options,
      );
    case 'HasBlocks':
      return calls.hasBlocks(
        mapped(blocks, ({ hash }) => ({ namespaceId, hashes: hash })),
        options,
      );
  }
}

/** A request that puts blocks. */
export function putOf(namespaceId: NamespaceId, ...blocks: readonly Block[]): OutgoingPut {
  const hashes = Buffer.concat(blocks.map(({ hash }) => hash));
  return {
    namespaceId,
    batch: { hashes, sizes: blocks.map(({ data }) => data.length), data: blocks.map(({ data }) => data) },
  };
}

/** Everything that a refusal tells the one who is refused, without what he has sent himself. */
export function whatIsTold(refusal: unknown, ...sent: readonly string[]): string {
  if (!(refusal instanceof DrystoneError)) throw new Error('this is no refusal', { cause: refusal });
  const { code, reason, message, details } = refusal;
  return sent.reduce((told, word) => told.replaceAll(word, '…'), JSON.stringify({ code, reason, message, details }));
}

async function* mapped<T, R>(source: AsyncIterable<T>, map: (value: T) => R): AsyncGenerator<R, void, undefined> {
  for await (const value of source) yield map(value);
}
