import { peerLimits } from '../../../common/limits.js';
import { pull } from './rendezvous.js';

/**
 * Where blocks are fetched from besides the local disk, the nearest first: endpoints of the same site or network, agents of
 * the site, other agents, endpoints elsewhere.
 */
export const sourceKinds = ['site-peer', 'site-agent', 'other-agent', 'remote-peer'] as const;

export type SourceKind = (typeof sourceKinds)[number];

/** One place to fetch from, as the order goes by it. */
export interface RankedSource {
  /** That of the agent or device. */
  readonly id: string;
  readonly kind: SourceKind;
  /** Agents alone: a smaller one comes first, those of the same share what there is to fetch. */
  readonly tier: number;
}

/** In which order one endpoint asks for one block. */
export interface SourceOrder<Source extends RankedSource> {
  /**
   * Whether it is this endpoint that asks an agent first, among those of its site; where nobody at the site has the block
   * yet, the others ask this one, and wait.
   */
  readonly isFirstHere: boolean;
  /** Each at most once. */
  readonly sources: readonly Source[];
}

/**
 * The order for one block. Every endpoint of a site works out the same first endpoint for it, the one to which it is drawn
 * most: that one asks an agent, the others ask it before they ask an agent. Thus a file that all endpoints of a site want at
 * once leaves the agent once, as long as they know each other. Those that were not asked come after the agents, and remote
 * endpoints last.
 *
 * @param self the id of this endpoint
 * @param holders those of the site that have said that they hold it: one of them comes first
 */
export function orderFor<Source extends RankedSource>(
  hash: Uint8Array,
  self: string,
  sources: readonly Source[],
  holders: ReadonlySet<string> = new Set(),
): SourceOrder<Source> {
  const pulls = new Map(sources.map(({ id }) => [id, pull(hash, id)]));
  const pullOf = ({ id }: Source): number => pulls.get(id) ?? 0;
  const drawn = (kind: SourceKind): Source[] =>
    sources.filter((source) => source.kind === kind).sort((a, b) => pullOf(b) - pullOf(a) || (a.id < b.id ? -1 : 1));
  const agents = [...drawn('site-agent'), ...drawn('other-agent')].sort((a, b) => a.tier - b.tier);
  const atSite = drawn('site-peer');
  const isFirstHere = isFirst(hash, self, atSite);
  const ownPull = pull(hash, self);
  const before = [
    ...atSite.filter(({ id }) => holders.has(id)).slice(0, 1),
    ...atSite.filter((peer) => comesBefore(pullOf(peer), peer.id, ownPull, self)),
  ].slice(0, peerLimits.triedBeforeAgents);
  const after = atSite.filter((peer) => !before.includes(peer)).slice(0, peerLimits.triedAfterAgents);
  const remote = drawn('remote-peer').slice(0, peerLimits.remoteTried);
  return { isFirstHere, sources: [...new Set([...before, ...agents, ...after, ...remote])] };
}

/** Whether of the endpoints of a site, this one and `peers`, this one is drawn most to the block. */
export function isFirst(hash: Uint8Array, self: string, peers: readonly RankedSource[]): boolean {
  const ownPull = pull(hash, self);
  return !peers.some(({ id }) => comesBefore(pull(hash, id), id, ownPull, self));
}

function comesBefore(onePull: number, one: string, otherPull: number, other: string): boolean {
  return onePull > otherPull || (onePull === otherPull && one < other);
}

/** How a source is doing. */
export interface SourceState {
  /** Asked and not answered. */
  readonly owedBytes: number;
  /** Undefined until it has been measured. */
  readonly bytesPerSecond: number | undefined;
  /** For how long it may need for what it owes before it is passed over. */
  readonly patienceMs: number;
  /** It is left alone for now. */
  readonly isDown: boolean;
}

/**
 * Which of a block's sources, in their order, to ask next: the first that will have sent what it owes within
 * its patience, which is its window; where none will, the one that is done soonest. Undefined where all are down.
 */
export function chooseSource(states: readonly SourceState[]): number | undefined {
  let best: number | undefined;
  let leastMs = Infinity;
  for (const [index, state] of states.entries()) {
    if (state.isDown) continue;
    const waitMs = owedMs(state);
    if (waitMs <= state.patienceMs) return index;
    if (waitMs < leastMs) [best, leastMs] = [index, waitMs];
  }
  return best;
}

/** How long a source needs for what it owes; one that has not been measured is trusted. */
function owedMs({ owedBytes, bytesPerSecond }: SourceState): number {
  if (bytesPerSecond === undefined || owedBytes === 0) return 0;
  return (owedBytes / Math.max(1, bytesPerSecond)) * 1000;
}
