import { formatHostPort, parseHostPort } from '../../common/address.js';
import { invalidArgument } from '../../common/errors.js';
import { metadataLimits } from '../../common/limits.js';
import { serve, type ServedService } from '../../common/rpc/server.js';
import { FleetServiceService } from '../../proto/gen/drystone/metadata/v1/fleet.js';
import { HeartbeatStream, type HeartbeatParts } from '../fleet/heartbeat-stream.js';
import { callingAgent } from '../requests/callers.js';
import { checkDisplayText } from '../requests/texts.js';

/** FleetService (proto/drystone/metadata/v1/fleet.proto). */
export function fleetRoutes(parts: HeartbeatParts): ServedService {
  return serve(
    FleetServiceService,
    {
      async registerAgent(request, context) {
        const { agentId } = callingAgent(context);
        const address = parseReachable('address', request.address);
        const softwareVersion = checkDisplayText('software_version', request.softwareVersion);
        await parts.directory.registerAgent(agentId, { address, softwareVersion });
        return { agentId, heartbeatIntervalMs: metadataLimits.heartbeatIntervalMs };
      },
      heartbeat: (requests, context) => new HeartbeatStream(parts, callingAgent(context)).run(requests, context.signal),
    },
    { audience: { registerAgent: 'agent', heartbeat: 'agent' }, endless: ['heartbeat'] },
  );
}

/** An address that others can connect to. */
function parseReachable(field: string, text: string): string {
  const address = parseHostPort(field, text);
  if (address.port === 0) throw invalidArgument(field, 'must name the port at which clients reach the agent');
  return formatHostPort(address);
}
