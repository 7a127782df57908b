import { openDevice } from '../../../client/connection/device.js';
import { connectMetadata } from '../../../client/connection/metadata-calls.js';
import { startPeerServer } from '../../../client/peers/peer-server.js';
import { hashAt, hashCount } from '../../../common/block-hash.js';
import { judgedNow } from '../../../common/identity/offline-grace.js';
import { systemClock } from '../../../common/clock.js';
import { AccessTokenVerifier } from '../../../common/identity/access-tokens.js';
import { parseNamespaceId, type DeviceId, type NamespaceId } from '../../../common/ids.js';
import { silentLogger } from '../../../common/logging.js';
import { openChannel } from '../../../common/rpc/client.js';
import type { Block } from '../../../server/block.js';
import type { BlockReader } from '../../../server/block-store.js';
import { MemoryBlockStore } from '../../../server/memory-block-store.js';

export interface StagedPeerOptions {
  /** Where its device has its key and certificate. */
  readonly home: string;
  readonly metadata: string;
  readonly namespace: string;
  readonly premises: string;
  /** What the namespace's only file holds. */
  readonly content: Buffer;
  /** What it gives in place of what it has. */
  readonly change?: (given: BlockReader) => BlockReader;
  /** HOST:PORT; a free port of the loopback unless given. */
  readonly listen?: string;
  /** Where others are told to find it, by where it listens. */
  readonly advertise?: (address: string) => string;
}

/** A peer that runs in the test's process, so that a test can say how it answers; everybody else takes it for a real one. */
export interface StagedPeer {
  readonly deviceId: DeviceId;
  close(): Promise<void>;
}

/** Starts a peer that holds the namespace's file, and says so to metadata. */
export async function startStagedPeer(options: StagedPeerOptions): Promise<StagedPeer> {
  const { id: deviceId, transport } = await openDevice(options.home);
  const channel = openChannel(options.metadata, transport.channelTo('metadata'));
  const metadata = connectMetadata(channel);
  const { assignments } = await metadata.account.getAssignments({ namespaceName: options.namespace });
  const namespaceId = parseNamespaceId('namespace_id', assignments[0]?.namespaceId ?? '');
  const verifier = new AccessTokenVerifier(systemClock);
  const { tokenKeys } = await metadata.account.issueAccessToken({ namespaceIds: [namespaceId] });
  verifier.replaceKeys(tokenKeys.map(({ keyId: id, publicKey }) => ({ id, publicKey })));
  const held = new MemoryBlockStore();
  await held.put(namespaceId, await blocksOfFile(metadata, namespaceId, options.content));
  const server = await startPeerServer({
    namespaceId,
    listen: options.listen ?? '127.0.0.1:0',
    credentials: transport.server,
    verifier,
    tokenTime: judgedNow(systemClock),
    store: options.change?.(held) ?? held,
    holds: held,
    services: () => [],
    clock: systemClock,
    logger: silentLogger(),
  });
  const addresses = [options.advertise?.(server.address) ?? server.address];
  const advertise = () =>
    metadata.locator.advertise({ namespaceId, addresses, cursor: 0n, premises: options.premises });
  const { leaseMs } = await advertise();
  const again = setInterval(() => void advertise().catch(() => undefined), leaseMs / 2);
  return {
    deviceId,
    async close() {
      clearInterval(again);
      channel.close();
      await server.drain(0);
    },
  };
}

/** Gives as many bytes as it was asked for, and not those; `onLie` is told each time. */
export function lying(held: BlockReader, onLie: () => void = () => undefined): BlockReader {
  return {
    sizes: (id, hashes) => held.sizes(id, hashes),
    async get(id, hashes) {
      onLie();
      return (await held.get(id, hashes)).map((data) => data && Buffer.alloc(data.length, 1));
    },
  };
}

/** The blocks of the only file of a namespace, cut from its content as the namespace has them. */
async function blocksOfFile(
  { feed }: ReturnType<typeof connectMetadata>,
  namespaceId: NamespaceId,
  content: Buffer,
): Promise<Block[]> {
  const { entries } = await feed.readFeed({ namespaceId, afterCursor: 0n, pageSize: 0, pathPrefix: '' });
  const files = entries.flatMap(({ item }) => (item?.content?.$case === 'file' ? [item.content.value] : []));
  const { hashes, sizes } = files[0]?.blocks ?? { hashes: Buffer.alloc(0), sizes: [] };
  let offset = 0;
  return Array.from({ length: hashCount(hashes) }, (_, index) => {
    const start = offset;
    offset += sizes[index] ?? 0;
    return { hash: hashAt(hashes, index), data: content.subarray(start, offset) };
  });
}
