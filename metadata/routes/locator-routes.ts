import { parseHostPort } from '../../common/address.js';
import { checkPackedHashes } from '../../common/block-hash.js';
import { invalidArgument } from '../../common/errors.js';
import type { DeviceIdentity } from '../../common/identity/identity.js';
import { parseCursor, parseNamespaceId, parsePremisesName } from '../../common/ids.js';
import { metadataLimits, wireLimits } from '../../common/limits.js';
import { serve, type ServedService } from '../../common/rpc/server.js';
import {
  LocatorServiceService,
  type AdvertiseRequest,
  type Peer,
} from '../../proto/gen/drystone/metadata/v1/locator.js';
import type { LocatorMetrics } from '../metrics.js';
import { heldBits } from '../presence/held-bits.js';
import type { Advert, Adverts } from '../presence/adverts.js';
import { callingDevice } from '../requests/callers.js';
import type { PresenceStore } from '../store/contract.js';
import type { Access } from '../trust/access.js';

export interface LocatorParts {
  readonly access: Access;
  readonly presence: PresenceStore;
  readonly adverts: Adverts;
  readonly metrics: LocatorMetrics;
}

/** LocatorService (proto/drystone/metadata/v1/locator.proto). */
export function locatorRoutes({ access, presence, adverts, metrics }: LocatorParts): ServedService {
  return serve(
    LocatorServiceService,
    {
      async advertise(request, context) {
        const device = callingDevice(context);
        const namespaceId = parseNamespaceId('namespace_id', request.namespaceId);
        const advert = parseAdvert(request, device);
        await access.authorise(device, namespaceId, 'reader');
        if (advert.addresses.length === 0) adverts.remove(namespaceId, device.deviceId);
        else adverts.put(namespaceId, advert);
        metrics.advertised.inc();
        return { leaseMs: metadataLimits.advertLeaseMs };
      },
      async locate(request, context) {
        const device = callingDevice(context);
        const namespaceId = parseNamespaceId('namespace_id', request.namespaceId);
        const { hashes } = request;
        const asked = checkPackedHashes('hashes', hashes);
        const namespace = await access.authorise(device, namespaceId, 'reader');
        const agents = asked === 0 ? [] : namespace.agents;
        const peers = adverts.peersFor(namespaceId, device.deviceId);
        metrics.located(asked, peers.length);
        return {
          agents: await Promise.all(
            agents.map(async (agentId) => ({
              agentId,
              held: heldBits(hashes, await presence.findMissing(namespaceId, agentId, hashes)),
            })),
          ),
          peers: peers.map(peerOf),
        };
      },
    },
    { audience: { advertise: 'device', locate: 'device' } },
  );
}

function parseAdvert({ addresses, cursor, premises }: AdvertiseRequest, { deviceId }: DeviceIdentity): Advert {
  const { addressesPerPeer } = wireLimits;
  if (addresses.length > addressesPerPeer) throw invalidArgument('addresses', `must be at most ${addressesPerPeer}`);
  for (const [index, address] of addresses.entries()) {
    const { port } = parseHostPort(`addresses[${index}]`, address);
    if (port === 0) throw invalidArgument(`addresses[${index}]`, 'must have the port on which the endpoint listens');
  }
  return {
    deviceId,
    addresses,
    cursor: parseCursor('cursor', cursor),
    premises: premises === '' ? undefined : parsePremisesName('premises', premises),
  };
}

function peerOf({ deviceId, addresses, cursor, premises }: Advert): Peer {
  return { deviceId, addresses: [...addresses], cursor: BigInt(cursor), premises: premises ?? '' };
}
