import type { LanDiscovery } from '../../../client/peers/lan-discovery.js';
import type { DeviceId } from '../../../common/ids.js';
import { peerLimits } from '../../../common/limits.js';
import type { SimulatedProcess } from '../process.js';
import type { Link } from './link.js';

/** An endpoint on the network of its site. */
interface Neighbour {
  readonly process: SimulatedProcess;
  readonly site: string;
  readonly deviceId: DeviceId;
  readonly address: string;
  readonly onFound: Parameters<LanDiscovery['start']>[1];
  /** Until when it believes what it was told of whom. */
  readonly heard: Map<DeviceId, { readonly address: string; readonly untilMs: number }>;
}

/**
 * The local networks of all sites, by which endpoints of one site find each other while that carries anything: each says
 * where it is as often as the real ones do, and is believed for as long.
 */
export class SimulatedLan {
  readonly #neighbours = new Set<Neighbour>();

  constructor(private readonly links: { link(from: string, to: string): Link }) {}

  /** How a program finds others. */
  discoveryOf(process: SimulatedProcess, site: string, deviceId: DeviceId): LanDiscovery {
    return {
      start: (address, onFound) => {
        const ended = new AbortController();
        const self: Neighbour = { process, site, deviceId, address, onFound, heard: new Map() };
        this.#neighbours.add(self);
        void this.#keepAsking(self, ended.signal);
        return () => {
          ended.abort();
          this.#neighbours.delete(self);
        };
      },
    };
  }

  async #keepAsking(self: Neighbour, signal: AbortSignal): Promise<void> {
    const { clock } = self.process.context;
    while (!signal.aborted) {
      for (const other of this.#near(self)) {
        this.#carry(self, other, () => this.#carry(other, self));
        this.#carry(self, other);
      }
      await clock.sleep(peerLimits.lanAskMs, signal).catch(() => undefined);
      forgetOld(self);
    }
  }

  #near({ process, site }: Neighbour): Neighbour[] {
    const gone = [...this.#neighbours].filter((other) => !other.process.isAlive);
    for (const other of gone) this.#neighbours.delete(other);
    return [...this.#neighbours].filter((other) => other.site === site && other.process !== process);
  }

  /** A packet from one to the other: where the other one is told where the first is unless it is something else. */
  #carry(from: Neighbour, to: Neighbour, arrive: () => void = () => hear(to, from)): void {
    const link = this.links.link(from.site, to.site);
    if (link.isCut || !from.process.isAlive) return;
    to.process.after(link.delayMs(to.process.world.random), arrive);
  }
}

function hear(self: Neighbour, { deviceId, address, process }: Neighbour): void {
  if (!process.isAlive) return;
  const isNew = self.heard.get(deviceId)?.address !== address;
  const untilMs = self.process.context.clock.monotonicMs() + peerLimits.lanTtlSeconds * 1000;
  self.heard.set(deviceId, { address, untilMs });
  if (isNew) tell(self);
}

function forgetOld(self: Neighbour): void {
  const nowMs = self.process.context.clock.monotonicMs();
  const old = [...self.heard].filter(([, { untilMs }]) => untilMs <= nowMs);
  for (const [deviceId] of old) self.heard.delete(deviceId);
  if (old.length > 0) tell(self);
}

function tell({ heard, onFound }: Neighbour): void {
  onFound([...heard].map(([deviceId, { address }]) => ({ deviceId, addresses: [address], isNear: true })));
}
