import type { SimulatedProcess } from '../process.js';
import type { Link } from './link.js';

export type Direction = 'up' | 'down';

/** One end of a connection. */
export interface End {
  readonly process: SimulatedProcess;
  /** The connection is gone for this end: it was told, or has noticed. */
  readonly onLoss: (why: string) => void;
}

interface Lane {
  readonly link: Link;
  readonly to: SimulatedProcess;
  /** What comes later arrives later. */
  lastMs: number;
  /** What waits for the link to come back, in order. */
  readonly held: (() => void)[];
}

/**
 * A connection between two programs. What is sent one way arrives in its order, after the link's delay; while the link is
 * cut it waits, as TCP would send it again, unless the connection is given up before.
 */
export class Connection {
  readonly #lanes: Readonly<Record<Direction, Lane>>;
  #isOpen = true;

  constructor(
    readonly client: End,
    readonly server: End,
    links: Readonly<Record<Direction, Link>>,
  ) {
    this.#lanes = {
      up: { link: links.up, to: server.process, lastMs: 0, held: [] },
      down: { link: links.down, to: client.process, lastMs: 0, held: [] },
    };
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  uses(link: Link): boolean {
    return this.#lanes.up.link === link || this.#lanes.down.link === link;
  }

  /** Has `arrive` happen at the other end, where that program lives and the connection holds. */
  send(direction: Direction, arrive: () => void): void {
    const lane = this.#lanes[direction];
    const sender = direction === 'up' ? this.client.process : this.server.process;
    if (!this.#isOpen || !sender.isAlive) return;
    const { time, random } = sender.world;
    lane.lastMs = Math.max(lane.lastMs, time.nowMs + lane.link.delayMs(random));
    lane.to.after(lane.lastMs - time.nowMs, () => this.#arrive(lane, arrive));
  }

  /** The link has come back: what waited for it travels on. */
  resume(link: Link): void {
    for (const lane of Object.values(this.#lanes)) {
      if (lane.link !== link) continue;
      for (const arrive of lane.held.splice(0)) this.#arrive(lane, arrive);
    }
  }

  /** Both ends lose the connection: at once, and what is on its way is lost. */
  break(why: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const { process, onLoss } of [this.client, this.server]) if (process.isAlive) onLoss(why);
  }

  /** An end has closed it, or has crashed: the other one is told, over the link where that holds. */
  closeBy(side: 'client' | 'server', why: string): void {
    if (!this.#isOpen) return;
    const other = side === 'client' ? this.server : this.client;
    const lane = this.#lanes[side === 'client' ? 'up' : 'down'];
    const { time, random } = other.process.world;
    lane.lastMs = Math.max(lane.lastMs, time.nowMs + lane.link.delayMs(random));
    lane.to.after(lane.lastMs - time.nowMs, () =>
      this.#arrive(lane, () => {
        this.#isOpen = false;
        other.onLoss(why);
      }),
    );
  }

  #arrive(lane: Lane, arrive: () => void): void {
    if (!this.#isOpen || !lane.to.isAlive) return;
    if (lane.link.isCut) lane.held.push(arrive);
    else arrive();
  }
}
