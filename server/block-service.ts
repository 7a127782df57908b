import { wireLimits } from '../common/limits.js';
import type { CallContext } from '../common/rpc/method-types.js';
import { serve, type ServedService } from '../common/rpc/server.js';
import type { StreamAccess } from './block-access.js';
import { blockMethods } from './block-codec.js';
import type { BlockServer, BlockServiceOptions } from './block-server.js';
import { registerStreamGauges } from './block-metrics.js';
import { getBlocks } from './get-blocks.js';
import { hasBlocks } from './has-blocks.js';
import { OpenStreams } from './open-streams.js';
import { PutStream } from './put-blocks.js';
import { PutBudget } from './put-budget.js';
import { whileValid } from './while-valid.js';

/**
 * The server's end of the block protocol (proto/drystone/block/v1/block.proto). Receiving, hashing, storing and syncing
 * overlap, within a stream and between streams. Closing the store is its owner's part, after the RPC server has drained.
 */
export function createBlockService(options: BlockServiceOptions): ServedService {
  const server: BlockServer = {
    ...options,
    streams: new OpenStreams((cause) => options.metrics.refusals.inc({ cause })),
    putBudget: new PutBudget(),
  };
  registerStreamGauges(options.registry, {
    streams: (method) => server.streams.count(method),
    // A stream that was cancelled is gone, what it had begun to store is not.
    bytesInFlight: (method) => (method === 'put' ? server.putBudget.usedBytes : server.streams.bytesInFlight(method)),
  });
  return serve(
    blockMethods,
    {
      putBlocks: (requests, context) =>
        letIn(server, context, (access) => new PutStream(server, access, context.signal).run(requests)),
      getBlocks: (requests, context) =>
        letIn(server, context, (access) => getBlocks(server, access, whileValid(access, requests), context.signal)),
      hasBlocks: (requests, context) =>
        letIn(server, context, (access) => hasBlocks(server, access, whileValid(access, requests))),
    },
    {
      audience: { putBlocks: 'device', getBlocks: 'device', hasBlocks: 'device' },
      requestBytes: { putBlocks: 2 * wireLimits.blockBytes },
    },
  );
}

/** A stream's responses, for one who may open it. */
async function* letIn<Response>(
  { access }: BlockServer,
  context: CallContext,
  open: (access: StreamAccess) => AsyncGenerator<Response, void, undefined>,
): AsyncGenerator<Response, void, undefined> {
  yield* open(await access.check(context));
}
