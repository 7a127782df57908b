import { wireLimits } from '../common/limits.js';
import type { CallContext } from '../common/rpc/method-types.js';
import { serve, type ServedService } from '../common/rpc/server.js';
import type { GetBlocksRequest, HasBlocksRequest } from '../proto/gen/drystone/block/v1/block.js';
import type { StreamAccess } from './block-access.js';
import { blockMethods, type OutgoingGetAnswer } from './block-codec.js';
import type { BlockReadServer, BlockReadServiceOptions, BlockServer, BlockServiceOptions } from './block-server.js';
import { registerStreamGauges } from './block-metrics.js';
import { getBlocks } from './get-blocks.js';
import { hasBlocks } from './has-blocks.js';
import { OpenStreams } from './open-streams.js';
import { PutStream } from './put-blocks.js';
import { PutBudget } from './put-budget.js';
import { withSigns } from './signs-of-life.js';
import { whileValid } from './while-valid.js';

/**
 * The server's end of the block protocol (proto/drystone/block/v1/block.proto). Receiving, hashing, storing and syncing
 * overlap, within a stream and between streams. Closing the store is its owner's part, after the RPC server has drained.
 */
export function createBlockService(options: BlockServiceOptions): ServedService {
  const putBudget = new PutBudget();
  const server: BlockServer = { ...options, streams: openStreams(options, () => putBudget.usedBytes), putBudget };
  return serve(
    blockMethods,
    {
      putBlocks: (requests, context) =>
        letIn(server, context, (access) => new PutStream(server, access, context.signal).run(requests)),
      ...readHandlers(server),
    },
    {
      audience: { putBlocks: 'device', ...readAudience },
      requestBytes: { putBlocks: 2 * wireLimits.blockBytes },
    },
  );
}

/** The same of a server that gives blocks and takes none: PutBlocks is UNIMPLEMENTED there. */
export function createBlockReadService(options: BlockReadServiceOptions): ServedService {
  const { getBlocks: getMethod, hasBlocks: hasMethod } = blockMethods;
  const server: BlockReadServer = { ...options, streams: openStreams(options, () => 0) };
  return serve({ getBlocks: getMethod, hasBlocks: hasMethod }, readHandlers(server), { audience: readAudience });
}

/** An answer to nothing. */
const SIGN_OF_LIFE: OutgoingGetAnswer = { batch: undefined, missingHashes: Buffer.alloc(0) };

const readAudience = { getBlocks: 'device', hasBlocks: 'device' } as const;

function readHandlers(server: BlockReadServer) {
  return {
    getBlocks: (requests: AsyncIterable<GetBlocksRequest>, context: CallContext) =>
      letIn(server, context, (access) => {
        const answers = getBlocks(server, access, whileValid(access, requests), context.signal);
        return server.signs === undefined ? answers : withSigns(answers, SIGN_OF_LIFE, server.signs);
      }),
    hasBlocks: (requests: AsyncIterable<HasBlocksRequest>, context: CallContext) =>
      letIn(server, context, (access) => hasBlocks(server, access, whileValid(access, requests))),
  };
}

/** @param putBytes of put streams: one that was cancelled is gone, what it had begun to store is not. */
function openStreams({ metrics, registry }: BlockReadServiceOptions, putBytes: () => number): OpenStreams {
  const streams = new OpenStreams((cause) => metrics.refusals.inc({ cause }));
  registerStreamGauges(registry, {
    streams: (method) => streams.count(method),
    bytesInFlight: (method) => (method === 'put' ? putBytes() : streams.bytesInFlight(method)),
  });
  return streams;
}

/** A stream's responses, for one who may open it. */
async function* letIn<Response>(
  { access }: BlockReadServer,
  context: CallContext,
  open: (access: StreamAccess) => AsyncGenerator<Response, void, undefined>,
): AsyncGenerator<Response, void, undefined> {
  yield* open(await access.check(context));
}
