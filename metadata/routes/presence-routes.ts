import { mapAhead } from '../../common/concurrency/map-ahead.js';
import { metadataLimits } from '../../common/limits.js';
import { serve, type ServedService } from '../../common/rpc/server.js';
import { PresenceServiceService } from '../../proto/gen/drystone/metadata/v1/presence.js';
import { FindMissingStream, type FindMissingParts } from '../presence/find-missing.js';
import { callingDevice } from '../requests/callers.js';

/** PresenceService (proto/drystone/metadata/v1/presence.proto). */
export function presenceRoutes(parts: FindMissingParts): ServedService {
  return serve(
    PresenceServiceService,
    {
      findMissing(requests, context) {
        const stream = new FindMissingStream(parts, callingDevice(context));
        return mapAhead(requests, metadataLimits.requestsInFlight, (request) => stream.answer(request));
      },
    },
    { audience: { findMissing: 'device' } },
  );
}
