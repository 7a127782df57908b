import type { Random } from '../../common/random.js';
import { numberBelow, pick } from '../support/seeded-random.js';
import type { SimulatedFleet } from './fleet.js';
import type { Link } from './network/link.js';
import { CENTRE } from './nodes/metadata-node.js';

/** How long clients are left to themselves, and how much later than others one thing may be back: milliseconds. */
const SHORTEST_MS = 8_000;
const LONGEST_MS = 40_000;
const STAGGER_MS = 10_000;

/** The longest that a fleet whose clients are left to themselves now and then is watched beyond its usual time. */
const MORE_MS = 60_000;

/**
 * Clients that are left to themselves: metadata and agents are out of reach, of one site or of all, for as long as it takes
 * to notice that and to go on with each other. Everything is back by the end.
 */
export class Desertion {
  readonly #random: Random;
  /** How much longer such a world lasts. */
  readonly moreMs: number;

  /** @param random decides when, where, and what else happens: of its own, so that other worlds stay as they are */
  constructor(
    private readonly fleet: SimulatedFleet,
    random: Random,
  ) {
    this.#random = random;
    this.moreMs = random.fraction() * MORE_MS;
  }

  /** @param edit has people change something */
  start(beginMs: number, untilMs: number, edit: () => void): void {
    const { time } = this.fleet;
    for (let left = 1 + numberBelow(3, this.#random); left > 0; left--) {
      const atMs = beginMs + this.#random.fraction() * Math.max(0, untilMs - beginMs - SHORTEST_MS);
      time.after(atMs - time.nowMs, () => this.#leave(untilMs, edit));
    }
  }

  #leave(untilMs: number, edit: () => void): void {
    const { fleet } = this;
    const { time } = fleet;
    const random = this.#random;
    const lastsMs = SHORTEST_MS + random.fraction() * (LONGEST_MS - SHORTEST_MS);
    const backMs = (): number => Math.min(untilMs, time.nowMs + lastsMs + random.fraction() * STAGGER_MS);
    if (random.fraction() < 0.5) this.#takeDown(backMs);
    else this.#cutOff(pick(fleet.sites, random), backMs);
    for (let edits = numberBelow(12, random); edits > 0; edits--) {
      const inMs = random.fraction() * lastsMs;
      time.after(inMs, () => time.nowMs < untilMs && edit());
    }
  }

  /** Metadata and all agents are gone; all sites still reach each other. */
  #takeDown(backMs: () => number): void {
    const { fleet } = this;
    for (const node of [fleet.metadata, ...fleet.agents]) fleet.keepDown(node, backMs(), this.#crash());
  }

  /** A site is cut off from everybody, and has lost its agent. */
  #cutOff(site: string, backMs: () => number): void {
    const { fleet } = this;
    const { network, time } = fleet;
    const isNoticed = this.#random.fraction() < 0.7;
    for (const other of [CENTRE, ...fleet.sites.filter((name) => name !== site)]) {
      const links = [network.link(site, other), network.link(other, site)];
      links.forEach((link) => this.#cut(link, isNoticed));
      time.after(backMs() - time.nowMs, () => links.forEach((link) => network.mend(link)));
    }
    for (const agent of fleet.agents) if (agent.site === site) fleet.keepDown(agent, backMs(), this.#crash());
  }

  #cut(link: Link, isNoticed: boolean): void {
    const { network, world } = this.fleet;
    world.trace.note(world.time.nowMs, `cut: ${link.name}`);
    network.cut(link);
    // Whoever is connected is told by his machine, and need not wait for its silence.
    if (isNoticed) network.breakOver(link);
  }

  #crash() {
    return this.#random.fraction() < 0.5 ? 'kill' : 'power cut';
  }
}
