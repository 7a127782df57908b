import { DrystoneError } from '../../common/errors.js';
import type { AgentId, PremisesName } from '../../common/ids.js';

/** An agent that could hold a namespace. */
export interface PlacementCandidate {
  readonly id: AgentId;
  readonly premises: PremisesName;
  /** Bytes that it can still take. */
  readonly freeBytes: number;
}

/**
 * Chooses `replicas` agents: spread over premises as evenly as their agents allow, and among premises with equally many
 * chosen the agent with the most free space, then the smaller id. The same candidates in any order give the same choice.
 * FAILED_PRECONDITION (AGENTS_TOO_FEW) where there are fewer candidates than asked for.
 */
export function choosePlacement(candidates: readonly PlacementCandidate[], replicas: number): AgentId[] {
  if (candidates.length < replicas) {
    const asked = replicas === 1 ? '1 agent is' : `${replicas} agents are`;
    const there = candidates.length === 1 ? '1 is' : candidates.length === 0 ? 'none is' : `${candidates.length} are`;
    const message = `${asked} asked for and ${there} online; start more${replicas === 1 ? '' : ', or ask for fewer'}`;
    throw new DrystoneError('FAILED_PRECONDITION', 'AGENTS_TOO_FEW', message);
  }
  const remaining = [...candidates].sort((a, b) => b.freeBytes - a.freeBytes || (a.id < b.id ? -1 : 1));
  const chosenAt = new Map<PremisesName, number>();
  const chosen: AgentId[] = [];
  while (chosen.length < replicas) {
    const fewest = Math.min(...remaining.map(({ premises }) => chosenAt.get(premises) ?? 0));
    const index = remaining.findIndex(({ premises }) => (chosenAt.get(premises) ?? 0) === fewest);
    for (const { id, premises } of remaining.splice(index, 1)) {
      chosen.push(id);
      chosenAt.set(premises, fewest + 1);
    }
  }
  return chosen;
}
