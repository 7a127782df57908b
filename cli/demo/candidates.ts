import { HASH_BYTES } from '../../common/block-hash.js';
import type { FeedEntry } from '../../common/feed/item.js';
import type { NamespaceId } from '../../common/ids.js';
import { wireLimits } from '../../common/limits.js';
import type { Candidate } from '../../proto/gen/drystone/metadata/v1/account.js';
import { PresenceServiceService, type FindMissingRequest } from '../../proto/gen/drystone/metadata/v1/presence.js';
import type { FleetConnection } from '../fleet/fleet-connection.js';
import { NAMESPACE } from './demo-fleet.js';

/** The blocks of a folder, and how many of them each agent lacks that may hold them. */
export interface CandidateComparison {
  /** The hash of each block, once. */
  readonly hashes: readonly Buffer[];
  /** Those that lack the fewest first. */
  readonly candidates: readonly { readonly candidate: Candidate; readonly missing: number }[];
}

/**
 * Asks metadata how many of the blocks of these entries each agent that holds the namespace lacks: what a client would
 * have to send it. Each block is asked about once.
 */
export async function compareCandidates(
  { admin, channel }: FleetConnection,
  namespaceId: NamespaceId,
  entries: readonly FeedEntry[],
  signal: AbortSignal,
): Promise<CandidateComparison> {
  const { namespace } = await admin.getNamespace({ name: NAMESPACE }, { signal });
  const hashes = distinctHashes(entries);
  const lacks = new Map<string, number>();
  const presence = channel.service(PresenceServiceService);
  for await (const { candidates } of presence.findMissing(requests(namespaceId, hashes), { signal })) {
    for (const { agentId, missingCount } of candidates) lacks.set(agentId, (lacks.get(agentId) ?? 0) + missingCount);
  }
  const candidates = (namespace?.assignment?.candidates ?? []).map((candidate) => {
    return { candidate, missing: lacks.get(candidate.agentId) ?? hashes.length };
  });
  return { hashes, candidates: candidates.sort((a, b) => a.missing - b.missing) };
}

function distinctHashes(entries: readonly FeedEntry[]): readonly Buffer[] {
  const distinct = new Map<string, Buffer>();
  for (const { item } of entries) {
    if (item.content.kind !== 'file') continue;
    const packed = Buffer.from(item.content.blocks.hashes);
    for (let at = 0; at < packed.length; at += HASH_BYTES) {
      const hash = packed.subarray(at, at + HASH_BYTES);
      distinct.set(hash.toString('latin1'), hash);
    }
  }
  return [...distinct.values()];
}

async function* requests(namespaceId: string, hashes: readonly Buffer[]): AsyncGenerator<FindMissingRequest> {
  for (let at = 0; at < hashes.length; at += wireLimits.hashesPerMessage) {
    const packed = Buffer.concat(hashes.slice(at, at + wireLimits.hashesPerMessage));
    yield { namespaceId, targetAgentId: '', hashes: packed };
  }
}
