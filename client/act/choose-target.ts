import type { AgentId, PremisesName } from '../../common/ids.js';

/** An agent to which the namespace is assigned. */
export interface Candidate {
  readonly agentId: AgentId;
  readonly premises: PremisesName;
  /** HOST:PORT. */
  readonly address: string;
  /** What metadata last heard of it. */
  readonly state: 'online' | 'draining' | 'offline';
  /** Whether this client's own calls to it have failed just now. */
  readonly isFailing: boolean;
}

/** What a candidate is needed for: one that drains still gives blocks and takes none. */
export type Purpose = 'store' | 'fetch';

/**
 * Candidates in tiers, the best first; those in one tier are equally near and equally likely to answer. Online comes
 * before `premises`, and what this client found itself before both: a candidate that has just failed comes last.
 */
export function rankCandidates(
  candidates: readonly Candidate[],
  purpose: Purpose,
  premises: PremisesName | undefined,
): readonly (readonly Candidate[])[] {
  const tiers = new Map<number, Candidate[]>();
  for (const candidate of candidates) {
    const rank = rankOf(candidate, purpose, premises);
    tiers.set(rank, [...(tiers.get(rank) ?? []), candidate]);
  }
  return [...tiers].sort(([a], [b]) => a - b).map(([, tier]) => tier);
}

function rankOf(
  { state, premises: own, isFailing }: Candidate,
  purpose: Purpose,
  wanted: PremisesName | undefined,
): number {
  const answers = state === 'online' || (state === 'draining' && purpose === 'fetch');
  return (isFailing ? 4 : 0) + (answers ? 0 : 2) + (own === wanted ? 0 : 1);
}

/** The candidate that lacks the fewest of the blocks asked about; of several, the one with the smallest id. */
export function cheapest(
  tier: readonly Candidate[],
  missingCounts: ReadonlyMap<AgentId, number>,
): Candidate | undefined {
  const cost = ({ agentId }: Candidate): number => missingCounts.get(agentId) ?? Infinity;
  return [...tier].sort((a, b) => (cost(a) === cost(b) ? (a.agentId < b.agentId ? -1 : 1) : cost(a) - cost(b)))[0];
}
