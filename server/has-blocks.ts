import type { HasBlocksRequest, HasBlocksResponse } from '../proto/gen/drystone/block/v1/block.js';
import { checkPackedHashes, hashAt } from '../common/block-hash.js';
import { ByteBudget } from '../common/concurrency/byte-budget.js';
import type { StreamAccess } from './block-access.js';
import type { BlockReadServer } from './block-server.js';
import { StreamNamespace } from './stream-namespace.js';

/** HasBlocks: one answer a request, in order. */
export async function* hasBlocks(
  { store, holds = store, metrics, streams }: BlockReadServer,
  access: StreamAccess,
  requests: AsyncIterable<HasBlocksRequest>,
): AsyncGenerator<HasBlocksResponse, void, undefined> {
  const stream = streams.enter('has', access, new ByteBudget(0));
  const namespace = new StreamNamespace(access, 'read');
  try {
    for await (const request of requests) {
      const namespaceId = namespace.of(request.namespaceId);
      metrics.hasHashes.inc(checkPackedHashes('hashes', request.hashes));
      const sizes = await holds.sizes(namespaceId, request.hashes);
      const missing = sizes.flatMap((size, index) => (size === 0 ? [hashAt(request.hashes, index)] : []));
      metrics.hasMissing.inc(missing.length);
      yield { missingHashes: Buffer.concat(missing) };
    }
  } finally {
    stream.leave();
  }
}
