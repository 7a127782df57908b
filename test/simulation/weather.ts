import { numberBelow, pick } from '../support/seeded-random.js';
import type { SimulatedFleet } from './fleet.js';
import type { Link } from './network/link.js';
import { CENTRE } from './nodes/metadata-node.js';

/** How many milliseconds pass between two mishaps. */
const CALM_MS = 3_000;

/** What goes wrong from outside: lines, power, disks. Everything is over by `untilMs`, but what was lost. */
export class Weather {
  readonly #repairs = new Set<() => void>();

  constructor(
    private readonly fleet: SimulatedFleet,
    private readonly untilMs: number,
  ) {}

  start(): void {
    this.#next();
  }

  /** Whatever is broken is mended. */
  clear(): void {
    for (const repair of [...this.#repairs]) repair();
    for (const { process } of this.fleet.nodes) process?.crashAfterSteps(Infinity, 'kill');
    this.fleet.network.healAll();
  }

  #next(): void {
    const { time, random } = this.fleet.world;
    time.after(random.fraction() * 2 * CALM_MS, () => {
      if (time.nowMs >= this.untilMs) return;
      this.#strike();
      this.#next();
    });
  }

  #strike(): void {
    const { fleet } = this;
    const { random } = fleet.world;
    const node = pick(fleet.nodes, random);
    const { process } = node;
    const roll = random.fraction();
    if (roll < 0.35) {
      this.#cut();
    } else if (roll < 0.45) {
      const link = this.#someLink();
      link.congestion = 5 + numberBelow(60, random);
      this.#mendLater(10_000, () => (link.congestion = 1));
    } else if (!process?.isAlive) {
      return;
    } else if (roll < 0.55) {
      process.note('its connections break');
      fleet.network.breakAll(process);
    } else if (roll < 0.9) {
      const crash = random.fraction() < 0.5 ? 'kill' : 'power cut';
      process.crashAfterSteps(1 + numberBelow(30, random), crash);
      if (random.fraction() < 0.5) this.#mendLater(10_000, () => process.crash(crash));
    } else {
      this.#fillDisk();
    }
  }

  /** A site from the centre, or one site from another; one way or both. */
  #cut(): void {
    const { world, network } = this.fleet;
    const { random } = world;
    const site = pick(this.fleet.sites, random);
    const other = random.fraction() < 0.7 ? CENTRE : pick(this.fleet.sites, random);
    const ways = [network.link(site, other), network.link(other, site)];
    const cut = random.fraction() < 0.6 ? ways : [pick(ways, random)];
    for (const link of cut) {
      world.trace.note(world.time.nowMs, `cut: ${link.name}`);
      network.cut(link);
    }
    this.#mendLater(45_000, () => cut.forEach((link) => network.mend(link)));
  }

  #fillDisk(): void {
    const { random } = this.fleet.world;
    const agent = pick(this.fleet.agents, random);
    const { folder } = pick(this.fleet.clients, random);
    const full = random.fraction() < 0.5 ? agent : folder;
    full.isFull = true;
    this.#mendLater(15_000, () => (full.isFull = false));
  }

  #someLink(): Link {
    const { random } = this.fleet.world;
    const site = pick(this.fleet.sites, random);
    return random.fraction() < 0.5 ? this.fleet.network.link(site, CENTRE) : this.fleet.network.link(CENTRE, site);
  }

  #mendLater(withinMs: number, repair: () => void): void {
    const once = (): void => {
      if (this.#repairs.delete(once)) repair();
    };
    this.#repairs.add(once);
    this.fleet.time.after(this.fleet.world.random.fraction() * withinMs, once);
  }
}
