import { mapAhead } from '../../common/concurrency/map-ahead.js';
import { entryToWire } from '../../common/feed/item-codec.js';
import { metadataLimits, wireLimits } from '../../common/limits.js';
import { serve, type ServedService } from '../../common/rpc/server.js';
import { CommitServiceService, type CommitResponse } from '../../proto/gen/drystone/metadata/v1/commit.js';
import { CommitStream, type CommitParts } from '../commit/commit-stream.js';
import type { CommitDecision } from '../commit/decide.js';
import { callingDevice } from '../requests/callers.js';

/** CommitService (proto/drystone/metadata/v1/commit.proto). */
export function commitRoutes(parts: CommitParts): ServedService {
  return serve(
    CommitServiceService,
    {
      commit(requests, context) {
        const stream = new CommitStream(parts, callingDevice(context));
        return mapAhead(requests, metadataLimits.requestsInFlight, async (request) =>
          responseOf(await stream.commit(request)),
        );
      },
    },
    { audience: { commit: 'device' }, requestBytes: { commit: wireLimits.messageBytes } },
  );
}

function responseOf({ feed, missing, merged }: CommitDecision): CommitResponse {
  return {
    cursor: BigInt(feed.cursor),
    missingHashes: missing,
    merged: merged.map(({ index, current }) => ({ index, current: current && entryToWire(current) })),
  };
}
