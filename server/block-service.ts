import { ByteBudget } from '../common/concurrency/byte-budget.js';
import { blockServerLimits } from '../common/limits.js';
import { serve, type ServedService } from '../common/rpc/server.js';
import { blockMethods } from './block-codec.js';
import type { BlockServer, BlockServiceOptions } from './block-server.js';
import { registerStreamGauges } from './block-metrics.js';
import { getBlocks } from './get-blocks.js';
import { hasBlocks } from './has-blocks.js';
import { OpenStreams } from './open-streams.js';
import { PutStream } from './put-blocks.js';

/**
 * The server's end of the block protocol (proto/drystone/block/v1/block.proto). Receiving, hashing, storing and syncing
 * overlap, within a stream and between streams. Closing the store is its owner's part, after the RPC server has drained.
 */
export function createBlockService(options: BlockServiceOptions): ServedService {
  const server: BlockServer = {
    ...options,
    streams: new OpenStreams(() => options.metrics.refusals.inc({ cause: 'streams' })),
    putBudget: new ByteBudget(blockServerLimits.putBytesInFlightTotal),
  };
  registerStreamGauges(options.registry, {
    streams: (method) => server.streams.count(method),
    // A stream that was cancelled is gone, what it had begun to store is not.
    bytesInFlight: (method) => (method === 'put' ? server.putBudget.usedBytes : server.streams.bytesInFlight(method)),
  });
  return serve(blockMethods, {
    putBlocks: (requests, { signal }) => new PutStream(server, signal).run(requests),
    getBlocks: (requests, { signal }) => getBlocks(server, requests, signal),
    hasBlocks: (requests) => hasBlocks(server, requests),
  });
}
