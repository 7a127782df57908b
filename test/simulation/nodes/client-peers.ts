import { Registry } from 'prom-client';
import { createPeerFeedService } from '../../../client/peers/peer-feed-service.js';
import { peerServices } from '../../../client/peers/peer-server.js';
import type { PeerGround } from '../../../client/peers/open-peers.js';
import { hashBlockSync } from '../../../common/block-hash.js';
import { DrystoneError } from '../../../common/errors.js';
import { CallGate } from '../../../common/rpc/call-gate.js';
import type { SimulatedDisk } from '../folder/folder-disk.js';
import type { SimulatedNetwork } from '../network/network.js';
import type { SimulatedProcess } from '../process.js';
import type { ClientPlace } from './client-place.js';

/** The longest that reading a block takes. */
const READ_MS = 3;

/** How a simulated client is one among peers. */
export function simulatedGround(
  network: SimulatedNetwork,
  { name, device, site, peers }: ClientPlace,
  disk: SimulatedDisk,
  process: SimulatedProcess,
): PeerGround {
  return {
    config: { listen: `${name}.example:7420`, onlyLan: peers === 'only lan' },
    self: device,
    serve: async ({ listen: address, feed, ...offer }) => {
      const { clock } = process.context;
      const services = peerServices({
        ...offer,
        registry: new Registry(),
        services: (access) => [createPeerFeedService({ ...feed, access })],
      });
      network.listen(address, { process, site, services, gate: new CallGate({ clock }) });
      process.note('serves peers');
      return { address, drain: () => Promise.resolve() };
    },
    discovery: () => Promise.resolve(network.lan.discoveryOf(process, site, device)),
    readBlock: async (absolutePath, { hash, offsetBytes, sizeBytes }) => {
      const { clock, random } = process.context;
      await clock.sleep(random.fraction() * READ_MS);
      const data = disk.bytesAt(absolutePath)?.subarray(offsetBytes, offsetBytes + sizeBytes);
      if (data !== undefined && hashBlockSync(data).equals(hash)) return Buffer.from(data);
      throw new DrystoneError('ABORTED', 'FILE_UNSTABLE', `${absolutePath} changed`);
    },
  };
}
