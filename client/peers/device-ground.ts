import type { Device } from '../connection/device.js';
import { readBlock } from '../observe/read-block.js';
import type { PeerGround } from './open-peers.js';
import type { PeerConfig } from './peer-network.js';

/** Endpoints that speak over gRPC as a device, find each other by multicast, and give what lies on the disk. */
export function deviceGround(config: PeerConfig, { id: self, transport }: Device): PeerGround {
  return {
    config,
    self,
    async serve({ feed, ...offer }) {
      // A sync that gives nothing to others does without a server, and does not load one.
      const [{ startPeerServer }, { createPeerFeedService }] = await Promise.all([
        import('./peer-server.js'),
        import('./peer-feed-service.js'),
      ]);
      const { server: credentials } = transport;
      return startPeerServer({
        ...offer,
        credentials,
        services: (access) => [createPeerFeedService({ ...feed, access })],
      });
    },
    async discovery(options) {
      const { multicastDiscovery } = await import('./lan-discovery.js');
      return multicastDiscovery(options);
    },
    readBlock,
  };
}
