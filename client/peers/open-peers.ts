import type { TokenVerifier } from '../../common/identity/access-tokens.js';
import type { TokenTime } from '../../common/identity/offline-grace.js';
import type { ItemPath } from '../../common/feed/item.js';
import type { DeviceId, NamespaceId, PremisesName } from '../../common/ids.js';
import type { ProgramContext } from '../../common/program/context.js';
import { connectBlockServer } from '../../server/block-client.js';
import type { AccessTokens } from '../connection/access-tokens.js';
import type { Connect } from '../connection/connect.js';
import { authorizedFeed } from '../connection/feed-calls.js';
import { limitBandwidth, type Bandwidth } from '../connection/limited-block-client.js';
import type { MetadataCalls } from '../connection/metadata-calls.js';
import type { ReadBlock } from '../observe/read-block.js';
import type { LocalBlockIndex } from '../state/local-block-index.js';
import type { TreeStore } from '../state/tree-store.js';
import type { SyncTally } from '../tally.js';
import { ComingBlocks } from './coming-blocks.js';
import { FolderBlocks, GivenBlocks } from './folder-blocks.js';
import type { LanDiscovery, LanDiscoveryOptions } from './lan-discovery.js';
import { ownFeed } from './own-feed.js';
import { PeerDirectory } from './peer-directory.js';
import type { PeerFeedParts } from './peer-feed-service.js';
import { PeerNetwork, type PeerConfig } from './peer-network.js';
import type { PeerServer, PeerServerOptions } from './peer-server.js';
import { provenFeed } from './proven-feed.js';

/** What an endpoint serves, and at which address. */
export interface PeerOffer extends Omit<PeerServerOptions, 'credentials' | 'services'> {
  readonly feed: Omit<PeerFeedParts, 'access'>;
}

/** What a program brings along: its config, its device, and what reaches out of the process. */
export interface PeerGround {
  readonly config: PeerConfig;
  readonly self: DeviceId;
  /** Begins to serve; raises what `startRpcServer` raises. */
  readonly serve: (offer: PeerOffer) => Promise<PeerServer>;
  /** Looks for others on the local network. */
  readonly discovery: (options: LanDiscoveryOptions) => Promise<LanDiscovery>;
  readonly readBlock: ReadBlock;
}

/** What a session adds to it. */
export interface PeerSession {
  readonly namespaceId: NamespaceId;
  readonly premises: PremisesName | undefined;
  readonly metadata: Pick<MetadataCalls, 'locator'>;
  readonly tokens: AccessTokens;
  /** Is told the keys of access tokens by `tokens`. */
  readonly verifier: TokenVerifier;
  /** As of when it judges them. */
  readonly tokenTime: TokenTime;
  readonly connect: Connect;
  readonly bandwidth: Bandwidth;
  readonly store: TreeStore;
  readonly index: LocalBlockIndex;
  /** Where an item lies on this disk; undefined before the folder was looked at. */
  readonly absolutePath: (path: ItemPath) => string | undefined;
  readonly once: boolean;
  readonly tally: SyncTally;
  readonly context: ProgramContext;
}

/** Makes an endpoint one among the others of its namespace; {@link PeerNetwork.run} begins it. */
export type OpenPeers = (session: PeerSession) => PeerNetwork;

/** Endpoints that reach each other by what `ground` brings. */
export function openPeers(ground: PeerGround): OpenPeers {
  return (session) => networkOf(ground, session);
}

function networkOf(ground: PeerGround, session: PeerSession): PeerNetwork {
  const parts = { ...session, ...ground };
  const { self, namespaceId, tokens, verifier, tokenTime, bandwidth, store, tally, context } = parts;
  const { clock, logger } = context;
  const coming = new ComingBlocks(clock);
  const folder = new FolderBlocks({ ...parts, trees: store, coming });
  const given = new GivenBlocks({
    folder,
    coming,
    pace: async (bytes) => bandwidth.up?.take(bytes),
    onGiven(sizeBytes) {
      tally.add('blocksGiven');
      tally.add('bytesGiven', sizeBytes);
    },
  });
  const directory = new PeerDirectory({
    ...parts,
    blocksOver: (channel) =>
      limitBandwidth(
        connectBlockServer(channel, clock, (id, refused) => tokens.tokenFor(id, refused)),
        bandwidth,
      ),
    feedOver: (channel, peer) =>
      provenFeed(
        authorizedFeed(channel, () => tokens.tokenFor(namespaceId)),
        { ...parts, device: peer, clock },
      ),
    clock,
  });
  const feed = ownFeed({ ...parts, clock });
  return new PeerNetwork({
    ...parts,
    locator: parts.metadata.locator,
    directory,
    coming,
    serve: (listen) =>
      ground.serve({ namespaceId, listen, verifier, tokenTime, store: given, holds: folder, feed, clock, logger }),
    discovery: () => ground.discovery({ namespaceId, deviceId: self, clock, logger }),
    refreshKeys: () => tokens.tokenFor(namespaceId),
    cursor: () => store.cursor,
    waitsForWork: parts.once,
  });
}
