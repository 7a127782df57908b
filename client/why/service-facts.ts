import { hashCount } from '../../common/block-hash.js';
import { DrystoneError } from '../../common/errors.js';
import { entryFromWire } from '../../common/feed/item-codec.js';
import { NO_BLOCKS, type Item, type ItemPath } from '../../common/feed/item.js';
import { parentPath } from '../../common/feed/paths.js';
import { grantIn } from '../../common/identity/access-tokens.js';
import { CURSOR_START, parseCursor, parseNamespaceId, type Cursor, type NamespaceId } from '../../common/ids.js';
import { wireLimits } from '../../common/limits.js';
import type { Clock } from '../../common/clock.js';
import type { RpcChannel } from '../../common/rpc/client.js';
import { AgentState, type Assignment } from '../../proto/gen/drystone/metadata/v1/account.js';
import { AdminServiceService } from '../../proto/gen/drystone/metadata/v1/admin.js';
import { LocatorServiceService } from '../../proto/gen/drystone/metadata/v1/locator.js';
import { connectMetadata, type MetadataCalls } from '../connection/metadata-calls.js';
import type { AgentFacts, AnsweredFacts, BlockFacts } from './facts.js';
import { relativesOf } from './relatives.js';

/** A namespace to ask about, at the metadata service at the other end of `channel`. */
export interface Asked {
  readonly channel: RpcChannel;
  readonly assignment: Assignment;
  readonly clock: Clock;
}

/**
 * What metadata says of a path. Live paths of the namespace, where the caller knows them, need not be read for its relatives.
 * Raises the errors of metadata.
 */
export async function readServiceFacts(
  { channel, assignment, clock }: Asked,
  path: ItemPath,
  livePaths: readonly ItemPath[] | undefined,
): Promise<Omit<AnsweredFacts, 'authorName'>> {
  const namespaceId = parseNamespaceId('namespace_id', assignment.namespaceId);
  const metadata = connectMetadata(channel);
  const token = (await metadata.account.issueAccessToken({ namespaceIds: [namespaceId] })).accessToken;
  const grant = grantIn(token);
  const clockAheadMs = clock.nowMs() - grant.issuedAtMs;
  const prefix = livePaths === undefined ? (parentPath(path) ?? '') : path;
  const { items, end } = await readItems(metadata, namespaceId, prefix);
  const item = items.find((candidate) => candidate.path === path);
  const live = items.flatMap(({ path: found, content }) => (content.kind === 'deletion' ? [] : [found]));
  return {
    state: 'answered',
    item,
    end,
    mayWrite: grant.namespaces.get(namespaceId) === 'write',
    clockAheadMs,
    ...relativesOf(path, livePaths ?? live),
    ...(await locate(channel, assignment, item)),
  };
}

async function readItems(
  { feed }: MetadataCalls,
  namespaceId: NamespaceId,
  pathPrefix: ItemPath | '',
): Promise<{ readonly items: readonly Item[]; readonly end: Cursor }> {
  const items: Item[] = [];
  for (let after = CURSOR_START; ;) {
    const request = { namespaceId, afterCursor: BigInt(after), pageSize: 0, pathPrefix };
    const page = await feed.readFeed(request);
    items.push(...page.entries.map((entry, index) => entryFromWire(`entries[${index}]`, entry).item));
    after = parseCursor('next_cursor', page.nextCursor);
    if (page.caughtUp) return { items, end: after };
  }
}

/** The disk of an agent. */
type Disk = Pick<AgentFacts, 'freeBytes' | 'freeFloorBytes'>;

/** Who holds the blocks of an item. */
async function locate(
  channel: RpcChannel,
  { namespaceId, candidates }: Assignment,
  item: Item | undefined,
): Promise<{ readonly agents: readonly AgentFacts[]; readonly blocks: BlockFacts }> {
  const { hashes } = item?.content.kind === 'file' ? item.content.blocks : NO_BLOCKS;
  const count = hashCount(hashes);
  const held = new Map(candidates.map(({ agentId }) => [agentId, new Uint8Array(count)]));
  const locator = channel.service(LocatorServiceService);
  const step = wireLimits.hashesPerMessage;
  let peers = 0;
  for (let first = 0; first === 0 || first < count; first += step) {
    const part = hashes.subarray(first * 32, (first + step) * 32);
    const answer = await locator.locate({ namespaceId, hashes: part });
    peers = answer.peers.length;
    for (const agent of answer.agents) {
      const bits = held.get(agent.agentId);
      for (let index = 0; bits !== undefined && index < hashCount(part); index++) {
        bits[first + index] = ((agent.held[index >> 3] ?? 0) >> (index & 7)) & 1;
      }
    }
  }
  const disks = await readDisks(channel);
  const agents = candidates.map(({ agentId, premises, state }) => {
    const disk = disks.get(agentId) ?? { freeBytes: undefined, freeFloorBytes: undefined };
    return { premises, state: stateOf(state), disk, bits: held.get(agentId) ?? new Uint8Array(count) };
  });
  const heldBy = (some: typeof agents): number => {
    let sum = 0;
    for (let index = 0; index < count; index++) if (some.some(({ bits }) => bits[index] === 1)) sum++;
    return sum;
  };
  const anywhere = heldBy(agents);
  const reachable = heldBy(agents.filter(({ state }) => state !== 'offline'));
  return {
    agents: agents.map(({ premises, state, disk, bits }) => {
      return { premises, state, held: bits.reduce((sum, bit) => sum + bit, 0), ...disk };
    }),
    blocks: { count, nowhere: count - anywhere, offline: anywhere - reachable, peers },
  };
}

/** The disks of the fleet's agents that have told of them, by the agents' ids; none where this account is no administrator. */
async function readDisks(channel: RpcChannel): Promise<ReadonlyMap<string, Disk>> {
  const admin = channel.service(AdminServiceService);
  const disks = new Map<string, Disk>();
  try {
    for (let pageToken = ''; ;) {
      const page = await admin.listAgents({ pageSize: 0, pageToken });
      for (const { agentId, totalBytes, freeBytes, freeFloorBytes } of page.agents) {
        const disk = { freeBytes: Number(freeBytes), freeFloorBytes: Number(freeFloorBytes) };
        if (totalBytes > 0n) disks.set(agentId, disk);
      }
      pageToken = page.nextPageToken;
      if (pageToken === '') return disks;
    }
  } catch (thrown) {
    if (thrown instanceof DrystoneError && thrown.code === 'PERMISSION_DENIED') return disks;
    throw thrown;
  }
}

function stateOf(state: AgentState): AgentFacts['state'] {
  if (state === AgentState.ONLINE) return 'online';
  return state === AgentState.DRAINING ? 'draining' : 'offline';
}
