import type { Clock } from '../../common/clock.js';
import { overloaded } from '../../common/errors.js';
import type { Cursor, DeviceId, NamespaceId, PremisesName } from '../../common/ids.js';
import { metadataLimits, wireLimits } from '../../common/limits.js';

/** What an endpoint has said of itself. */
export interface Advert {
  readonly deviceId: DeviceId;
  /** HOST:PORT, the best first; at least one. */
  readonly addresses: readonly string[];
  readonly cursor: Cursor;
  /** Undefined where the endpoint does not know. */
  readonly premises: PremisesName | undefined;
}

interface Standing {
  readonly advert: Advert;
  /** By the monotonic clock. */
  readonly endsAtMs: number;
}

/**
 * Which endpoints give blocks of which namespace, as they say: in memory alone, each advert for
 * `metadataLimits.advertLeaseMs`. What a server forgets when it restarts comes back within half a lease.
 */
export class Adverts {
  readonly #byNamespace = new Map<NamespaceId, Map<DeviceId, Standing>>();

  constructor(private readonly clock: Clock) {}

  /** How many stand. */
  get count(): number {
    let count = 0;
    for (const namespaceId of [...this.#byNamespace.keys()]) count += this.#standing(namespaceId).size;
    return count;
  }

  /**
   * Takes the place of what the device said of the namespace before. RESOURCE_EXHAUSTED (OVERLOADED) where the namespace has
   * `metadataLimits.advertsPerNamespace` others.
   */
  put(namespaceId: NamespaceId, advert: Advert): void {
    const { advertsPerNamespace, advertLeaseMs } = metadataLimits;
    const standing = this.#standing(namespaceId);
    standing.delete(advert.deviceId);
    if (standing.size >= advertsPerNamespace) {
      throw overloaded(`${standing.size} endpoints give blocks of the namespace, which is the most`, advertLeaseMs / 2);
    }
    standing.set(advert.deviceId, { advert, endsAtMs: this.clock.monotonicMs() + advertLeaseMs });
    this.#byNamespace.set(namespaceId, standing);
  }

  /** The device no longer gives blocks of the namespace. */
  remove(namespaceId: NamespaceId, deviceId: DeviceId): void {
    const standing = this.#standing(namespaceId);
    standing.delete(deviceId);
    if (standing.size === 0) this.#byNamespace.delete(namespaceId);
  }

  /**
   * At most `wireLimits.peersPerAnswer` endpoints that the caller may ask, itself not among them: those of its premises first,
   * as its own advert says them, and each group in the order of their ids, so that all endpoints of a site know the same ones.
   */
  peersFor(namespaceId: NamespaceId, caller: DeviceId): Advert[] {
    const standing = this.#standing(namespaceId);
    const premises = standing.get(caller)?.advert.premises;
    const isFar = ({ premises: other }: Advert): number => (premises !== undefined && other === premises ? 0 : 1);
    return [...standing.values()]
      .map(({ advert }) => advert)
      .filter(({ deviceId }) => deviceId !== caller)
      .sort((a, b) => isFar(a) - isFar(b) || (a.deviceId < b.deviceId ? -1 : 1))
      .slice(0, wireLimits.peersPerAnswer);
  }

  /** Those of a namespace whose lease is not over, in the order in which they were last said. */
  #standing(namespaceId: NamespaceId): Map<DeviceId, Standing> {
    const standing = this.#byNamespace.get(namespaceId);
    if (standing === undefined) return new Map();
    const nowMs = this.clock.monotonicMs();
    for (const [deviceId, { endsAtMs }] of standing) {
      if (endsAtMs > nowMs) break;
      standing.delete(deviceId);
    }
    if (standing.size === 0) this.#byNamespace.delete(namespaceId);
    return standing;
  }
}
