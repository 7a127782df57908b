import type { FoundPeer } from './peer-directory.js';

/** Finds endpoints on the local network without asking anybody else. */
export interface LanDiscovery {
  /**
   * Says on the network that this endpoint gives blocks at HOST:PORT, and tells `onFound` who else does, whole, whenever that
   * changes. Returns what ends it. Where the network does not carry it nothing is found; that is no error.
   */
  start(address: string, onFound: (found: readonly FoundPeer[]) => void): () => void;
}
