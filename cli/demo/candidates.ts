import { HASH_BYTES } from '../../common/block-hash.js';
import type { FeedEntry } from '../../common/feed/item.js';
import { wireLimits } from '../../common/limits.js';
import { openChannel } from '../../common/rpc/client.js';
import { plaintextCredentials } from '../../common/rpc/credentials.js';
import { PresenceServiceService, type FindMissingRequest } from '../../proto/gen/drystone/metadata/v1/presence.js';

/** How many of the blocks asked about an agent lacks. */
export interface CandidateLack {
  readonly agentId: string;
  readonly missing: number;
}

/** How many blocks a comparison was about, and what each candidate lacks of them. */
export interface CandidateComparison {
  readonly blocks: number;
  readonly candidates: readonly CandidateLack[];
}

/**
 * Asks metadata how many of the blocks of these entries each agent that holds the namespace lacks: what a client would
 * have to send it. Each block is asked about once.
 */
export async function compareCandidates(
  metadata: string,
  namespaceId: string,
  entries: readonly FeedEntry[],
  signal: AbortSignal,
): Promise<CandidateComparison> {
  const hashes = distinctHashes(entries);
  const channel = openChannel(metadata, plaintextCredentials().channel);
  try {
    const sums = new Map<string, number>();
    const presence = channel.service(PresenceServiceService);
    for await (const { candidates } of presence.findMissing(requests(namespaceId, hashes), { signal })) {
      for (const { agentId, missingCount } of candidates) sums.set(agentId, (sums.get(agentId) ?? 0) + missingCount);
    }
    return { blocks: hashes.length, candidates: [...sums].map(([agentId, missing]) => ({ agentId, missing })) };
  } finally {
    channel.close();
  }
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
