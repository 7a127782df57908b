import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createInlineDisk } from '../../../client/act/disk/inline-disk.js';
import type { BlockSource } from '../../../client/act/download/block-source.js';
import { fetchFiles, type FetchOutcome } from '../../../client/act/download/fetch-files.js';
import { FolderPlaces } from '../../../client/act/folder-places.js';
import type { FetchFile } from '../../../client/plan/operation.js';
import { readBlock } from '../../../client/observe/read-block.js';
import { authorizedFeed, type ReadableFeed } from '../../../client/connection/feed-calls.js';
import { ComingBlocks } from '../../../client/peers/coming-blocks.js';
import { FolderBlocks, GivenBlocks } from '../../../client/peers/folder-blocks.js';
import { ownFeed } from '../../../client/peers/own-feed.js';
import { PeerDirectory } from '../../../client/peers/peer-directory.js';
import { createPeerFeedService } from '../../../client/peers/peer-feed-service.js';
import { startPeerServer } from '../../../client/peers/peer-server.js';
import { provenFeed } from '../../../client/peers/proven-feed.js';
import { LocalBlockIndex } from '../../../client/state/local-block-index.js';
import { MemoryTreeStore } from '../../../client/state/memory-tree-store.js';
import { SyncTally } from '../../../client/tally.js';
import { systemClock, type Clock } from '../../../common/clock.js';
import { judgedNow } from '../../../common/identity/offline-grace.js';
import type { FileContent, Item, ItemPath } from '../../../common/feed/item.js';
import type { HeldIdentity } from '../../../common/identity/held-identity.js';
import type { DeviceId } from '../../../common/ids.js';
import { silentLogger } from '../../../common/logging.js';
import { systemRandom } from '../../../common/random.js';
import { openChannel, type RpcChannel } from '../../../common/rpc/client.js';
import { connectBlockServer } from '../../../server/block-client.js';
import type { BlockReader } from '../../../server/block-store.js';
import type { BlockServerPair } from '../blocks/block-server.js';
import type { BlockFleet } from '../blocks/block-fleet.js';
import { NAMESPACE } from '../blocks/sample-blocks.js';
import { temporaryDirectory } from '../temporary-directory.js';
import { item } from './planned-trees.js';

/** Where another endpoint is found. */
export interface PeerPlace {
  readonly deviceId: DeviceId;
  readonly address: string;
}

/** One endpoint that gives blocks from a folder and fetches into it, over real connections; what surrounds it is left out. */
export class PeerEndpoint implements PeerPlace {
  readonly root = temporaryDirectory();
  readonly store = new MemoryTreeStore();
  readonly index = new LocalBlockIndex(this.store.local);
  readonly tally = new SyncTally();
  readonly coming = new ComingBlocks(systemClock);
  readonly outcomes: FetchOutcome[] = [];
  readonly places = new FolderPlaces(this.root, { diskPaths: new Map() });
  readonly folder = new FolderBlocks({
    index: this.index,
    trees: this.store,
    coming: this.coming,
    absolutePath: (path) => this.places.absolutePath(path),
    readBlock,
  });
  readonly directory: PeerDirectory;
  address = '';
  /** What its disk has room for, where that is less than it has. */
  freeBytes: number | undefined;
  /** By which it judges what others show. */
  clock: Clock = systemClock;
  /** Its own access token. */
  ownToken = (): Promise<string> => this.fleet.token(this.held);
  /** What it shows of itself in its feed, where that is not its own token: nothing of it is checked. */
  proof: (() => Promise<string>) | undefined;

  private constructor(
    readonly fleet: BlockFleet,
    readonly held: HeldIdentity,
  ) {
    mkdirSync(this.places.temporaryDirectory, { recursive: true });
    this.directory = new PeerDirectory({
      namespaceId: NAMESPACE,
      self: this.deviceId,
      connect: (address, peer, connectMs) =>
        openChannel(address, fleet.authority.transportOf(held).channelTo(peer), connectMs),
      blocksOver: (channel) => this.blocksOver(channel),
      feedOver: (channel, device) => this.feedOver(channel, device),
      clock: systemClock,
      tally: this.tally,
    });
    onTestFinished(() => this.directory.close());
  }

  /** @param lie what is given in place of a block, if anything */
  static async start(fleet: BlockFleet, change: (given: BlockReader) => BlockReader = (given) => given) {
    const endpoint = new PeerEndpoint(fleet, await fleet.authority.device());
    const { folder, coming, tally, held } = endpoint;
    const feed = ownFeed({
      namespaceId: NAMESPACE,
      store: endpoint.store,
      tokens: { tokenFor: () => endpoint.ownToken() },
      clock: systemClock,
    });
    const onGiven = (sizeBytes: number): void => tally.add('bytesGiven', sizeBytes);
    const server = await startPeerServer({
      namespaceId: NAMESPACE,
      listen: '127.0.0.1:0',
      credentials: fleet.authority.transportOf(held).server,
      verifier: fleet.verifier(),
      tokenTime: judgedNow(systemClock),
      store: change(new GivenBlocks({ folder, coming, pace: () => Promise.resolve(), onGiven })),
      holds: folder,
      services: (access) => [
        createPeerFeedService({ ...feed, access, proof: () => endpoint.proof?.() ?? feed.proof() }),
      ],
      clock: systemClock,
      logger: silentLogger(),
    });
    onTestFinished(() => server.drain(0));
    endpoint.address = server.address;
    return endpoint;
  }

  get deviceId(): DeviceId {
    if (this.held.identity.kind !== 'device') throw new Error('an endpoint is a device');
    return this.held.identity.deviceId;
  }

  blocksOver(channel: RpcChannel) {
    return connectBlockServer(channel, systemClock, () => this.fleet.token(this.held));
  }

  /** The feed of a device, believed when it has shown that it may change the namespace. */
  feedOver(channel: RpcChannel, device: DeviceId) {
    const { fleet, clock } = this;
    const calls = authorizedFeed(channel, () => fleet.token(this.held));
    const proof = { namespaceId: NAMESPACE, verifier: fleet.verifier(), tokenTime: judgedNow(clock), clock };
    return provenFeed(calls, { ...proof, device });
  }

  /** Meets others, which are at its site. */
  async meet(others: readonly PeerPlace[]): Promise<void> {
    const found = others.map(({ deviceId, address }) => ({ deviceId, addresses: [address], isNear: true }));
    this.directory.update('metadata', found);
    await this.directory.connectAll(new AbortController().signal);
  }

  /** The namespace holds this file. */
  async learn(path: string, content: FileContent): Promise<FetchFile> {
    const held = item(path, 1, content) as Item & { readonly content: FileContent };
    await this.store.write({ remote: new Map([[held.path, held]]) });
    return { kind: 'fetch-file', path: path as ItemPath, item: held, replaces: undefined };
  }

  /** The agent as this endpoint sees it. */
  agentSource(agent: BlockServerPair, address = agent.rpc.address): BlockSource {
    const channel = openChannel(address, this.fleet.authority.transportOf(this.held).channelTo(agent.agentId));
    onTestFinished(() => channel.close());
    return {
      id: agent.agentId,
      kind: 'site-agent',
      tier: 0,
      blocks: this.blocksOver(channel),
      isUsable: () => true,
      onFetched: (sizeBytes) => this.tally.fetched('site-agent', sizeBytes),
      onFailure: () => undefined,
    };
  }

  /** Brings files into the folder, from the endpoints that it has met and from `agents`; they are shared from then on. */
  async fetch(
    operations: readonly FetchFile[],
    agents: readonly BlockSource[],
    signal = new AbortController().signal,
  ): Promise<void> {
    const onOutcome = (outcome: FetchOutcome): void => {
      this.outcomes.push(outcome);
      if (outcome.outcome !== 'fetched') return;
      const { entry } = outcome;
      const written = this.store.write({ local: new Map([[entry.path, entry]]) });
      void written.then(() => this.index.note(entry));
    };
    const { index, places, tally, coming } = this;
    const parts = {
      namespaceId: NAMESPACE,
      self: this.deviceId,
      places,
      index,
      tally,
      coming,
      onOutcome,
      isPaced: false,
    };
    const sources = [...this.directory.sources(), ...agents];
    const { freeBytes } = this;
    const whole = createInlineDisk(() => undefined);
    const disk = freeBytes === undefined ? whole : { ...whole, freeBytes: () => Promise.resolve(freeBytes) };
    const all = { ...parts, sources, disk, random: systemRandom, clock: systemClock };
    coming.begin(operations.map(({ item: wanted }) => wanted.content.blocks));
    await fetchFiles(operations, all, signal).finally(() => coming.end());
  }

  /** Where a file lies. */
  path(name: string): string {
    return join(this.root, name);
  }
}

/** The feed of `teller` as `hearer` follows it, over a connection of theirs. */
export async function feedBetween(hearer: PeerEndpoint, teller: PeerEndpoint): Promise<ReadableFeed> {
  await hearer.meet([teller]);
  const [connected] = hearer.directory.feeds();
  if (connected === undefined) throw new Error('they have not met');
  return connected.feed;
}
