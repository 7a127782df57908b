import { formatHostPort, parseHostPort } from '../../common/address.js';
import { invalidArgument } from '../../common/errors.js';
import { idOfPublicKey, parsePremisesName, type AgentId } from '../../common/ids.js';
import { metadataLimits } from '../../common/limits.js';
import { serve, type ServedService } from '../../common/rpc/server.js';
import { FleetServiceService } from '../../proto/gen/drystone/metadata/v1/fleet.js';
import { HeartbeatStream, type HeartbeatParts } from '../fleet/heartbeat-stream.js';
import { checkDisplayText, checkPublicKey } from '../requests/texts.js';

/** FleetService (proto/drystone/metadata/v1/fleet.proto). */
export function fleetRoutes(parts: HeartbeatParts): ServedService {
  return serve(
    FleetServiceService,
    {
      async registerAgent(request) {
        const publicKey = checkPublicKey('public_key', request.publicKey);
        const premises = parsePremisesName('premises', request.premises);
        const address = parseReachable('address', request.address);
        const softwareVersion = checkDisplayText('software_version', request.softwareVersion);
        const id = idOfPublicKey<AgentId>(publicKey);
        await parts.directory.putAgent({ id, publicKey, premises, address, softwareVersion });
        return { agentId: id, heartbeatIntervalMs: metadataLimits.heartbeatIntervalMs };
      },
      heartbeat: (requests, { signal }) => new HeartbeatStream(parts).run(requests, signal),
    },
    { endless: ['heartbeat'] },
  );
}

/** An address that others can connect to. */
function parseReachable(field: string, text: string): string {
  const address = parseHostPort(field, text);
  if (address.port === 0) throw invalidArgument(field, 'must name the port at which clients reach the agent');
  return formatHostPort(address);
}
